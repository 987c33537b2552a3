import { seedInstance } from '@understudy/cloud-sim';
import type { CoordinatorConfig } from '@understudy/coordinator/testing';
import type { MemberId } from '@understudy/shared';
import { type SimKvCommit } from '@understudy/shared/testing';
import type { ScriptedAgent } from '../sim/cluster/scripted-agent.ts';
import { SimulatedCluster } from '../sim/cluster/simulated-cluster.ts';
import type { BenchRow } from './bench.ts';

/** Members of the zone that is lost. */
const LOST = 1_000;
/**
 * Members in each of the other zones, as a share of those: an observer that hears less than half of
 * its fleet distrusts itself.
 */
const OTHERS = 0.55;
/** Heartbeats of the others, who are only there to be heard. */
const OTHERS_EVERY_MS = 10_000;
/** Almost all of the rates: the account is ours alone. */
const SHARE = 0.97;
/** EC2's documented bucket of RunInstances: the narrowest of a replacement. */
const LAUNCHES = { burst: 5, refillPerSecond: 2 };
const LIMIT_MS = 7_200_000;
const GROUP = 'fleet';
const WARM_UP_MS = 60_000;

/** A fleet as large as that recovers at the pace of EC2, not of the guard. */
const GUARD: Partial<CoordinatorConfig['guard']> = { budgetPerMinute: 1_000, budgetBurst: 1_000 };
const POLICY = { guard: { whenZoneLost: 'recover', concurrency: 1_000, bootGraceMs: 0 } } as const;

/** What happened since the zone was lost. */
class Watched {
  readonly launchedAtMs: number[] = [];
  /** When EC2 got the first Stop, and when it had the first instance stopped. */
  firstStopAtMs = Number.NaN;
  firstStoppedAtMs = Number.NaN;
  readonly activatedAtMs = new Map<string, number>();
  readonly calls = new Map<string, number>();
  throttled = 0;
  bytes = 0;
  largestBytes = 0;
  readonly commitsBySecond = new Map<number, number>();
  readonly #cluster: SimulatedCluster;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    cluster.kv.onCommit((commit) => this.#onCommit(commit));
    cluster.cloud.onEvent((event) => {
      if (event.kind === 'transition' && event.resourceKind === 'instance' && event.to === 'stopped')
        if (Number.isNaN(this.firstStoppedAtMs)) this.firstStoppedAtMs = this.#nowMs();
      if (event.kind !== 'call') return;
      if (event.action === 'StopInstances' && Number.isNaN(this.firstStopAtMs)) this.firstStopAtMs = this.#nowMs();
      this.calls.set(event.action, (this.calls.get(event.action) ?? 0) + 1);
      if (event.outcome === 'RequestLimitExceeded') this.throttled += 1;
      if (event.action === 'RunInstances' && event.outcome === 'ok') this.launchedAtMs.push(this.#nowMs());
    });
  }

  #nowMs(): number {
    return this.#cluster.kernel.monotonicMs();
  }

  #onCommit({ txn }: SimKvCommit): void {
    const second = Math.floor(this.#nowMs() / 1_000);
    this.commitsBySecond.set(second, (this.commitsBySecond.get(second) ?? 0) + 1);
    for (const write of txn.writes) {
      if (write.kind !== 'put') continue;
      this.bytes += write.value.length;
      this.largestBytes = Math.max(this.largestBytes, write.value.length);
      const { activations } = this.#cluster.keys;
      if (write.key.startsWith(activations) && !this.activatedAtMs.has(write.key))
        this.activatedAtMs.set(write.key, this.#nowMs());
    }
  }
}

function seedZone(cluster: SimulatedCluster, az: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => {
    const member: MemberId = `${GROUP}/${az}-${at}`;
    return seedInstance(cluster.cloud, { member, az, userData: `member: ${member}` }).instanceId;
  });
}

/** Everybody is enrolled and heard, and then all machines of a zone are off at once. */
async function lose(
  lost: number,
): Promise<{ readonly cluster: SimulatedCluster; readonly lostIds: readonly string[] }> {
  const cluster = new SimulatedCluster(
    { seed: 1, coordinators: 3, members: 0 },
    { agents: 'scripted', signs: 'hmac', guard: GUARD, loop: { recoveriesMax: 2_000 }, rates: { share: SHARE } },
  );
  const { zones, defaultResources } = cluster.cloud;
  const placements = zones.map((zone) => ({ subnetId: defaultResources.subnets[zone] ?? '' }));
  cluster.put(cluster.keys.group(GROUP), { group: GROUP, policy: { ...POLICY, recover: { placements } } });
  const [zone = '', ...others] = zones;
  const lostIds = seedZone(cluster, zone, lost);
  const otherIds = others.flatMap((az) => seedZone(cluster, az, Math.ceil(lost * OTHERS)));
  cluster.machines.settled = true;
  const agents = cluster.machines.scriptedAgents;
  for (const id of otherIds) slowDown(agents.get(id));
  for (const host of cluster.hosts) host.start();
  await cluster.kernel.until('all enrolled', () => enrolled(cluster) === lost + otherIds.length, 600_000);
  await cluster.kernel.advance(WARM_UP_MS);
  return { cluster, lostIds };
}

function slowDown(agent: ScriptedAgent | undefined): void {
  if (agent) agent.intervalMs = OTHERS_EVERY_MS;
}

const enrolled = (cluster: SimulatedCluster): number => cluster.kv.entries(cluster.keys.activations).length;

async function lostZoneOf(lost: number): Promise<readonly BenchRow[]> {
  const { cluster, lostIds } = await lose(lost);
  const watched = new Watched(cluster);
  const lostAtMs = cluster.kernel.monotonicMs();
  const beganAt = performance.now();
  for (const instanceId of lostIds) cluster.cloud.crashInstance(instanceId);
  await cluster.kernel.until('all replaced', () => watched.activatedAtMs.size >= lost, LIMIT_MS);
  return rowsOf(watched, lost, lostAtMs, performance.now() - beganAt);
}

function rowsOf(watched: Watched, lost: number, lostAtMs: number, tookMs: number): readonly BenchRow[] {
  const activated = [...watched.activatedAtMs.values()].toSorted((a, b) => a - b);
  const wallMs = (activated.at(-1) ?? 0) - lostAtMs;
  const firstMs = (activated[0] ?? 0) - lostAtMs;
  const bucketMs = ((lost - LAUNCHES.burst) * 1_000) / LAUNCHES.refillPerSecond;
  const ratio = wallMs / (firstMs + bucketMs);
  const calls = [...watched.calls.values()].reduce((sum, count) => sum + count, 0);
  const seconds = [...watched.commitsBySecond.values()];
  const plain = { budget: null, ok: null };
  return [
    {
      what: `${lost} members of a lost zone ÷ (the first of them + the buckets' minimum)`,
      ...{ measured: ratio, unit: 'ratio', budget: '≤ 1.10', ok: ratio <= 1.1 },
    },
    { what: '… ÷ the bucket of RunInstances alone', measured: wallMs / bucketMs, unit: 'ratio', ...plain },
    { what: '… until the last replacement (simulated)', measured: wallMs / 1_000, unit: 's', ...plain },
    { what: '… until the first (simulated)', measured: firstMs / 1_000, unit: 's', ...plain },
    ...partsOf(watched, lostAtMs, lostAtMs + wallMs, bucketMs),
    { what: '… API calls per recovery', measured: calls / lost, unit: 'calls', ...plain },
    ...[...watched.calls]
      .toSorted(([, a], [, b]) => b - a)
      .map(([action, count]) => ({ what: `…   ${action}`, measured: count / lost, unit: 'calls', ...plain })),
    { what: '… calls that EC2 throttled', measured: watched.throttled, unit: 'calls', ...plain },
    { what: '… etcd transactions, busiest second', measured: Math.max(...seconds), unit: '1/s', ...plain },
    { what: '… etcd bytes written per recovery', measured: watched.bytes / lost, unit: 'B', ...plain },
    { what: '… largest record', measured: watched.largestBytes, unit: 'B', ...plain },
    { what: '… processor time of the simulation', measured: tookMs / 1_000, unit: 's', ...plain },
  ];
}

/**
 * Where the time goes: until the first launch could leave, while launches leave at the pace of the
 * bucket, and what the last one takes afterwards. The first part and the last are no launches, so
 * the bucket alone is no bound that can be reached.
 */
function partsOf(watched: Watched, lostAtMs: number, endedAtMs: number, bucketMs: number): readonly BenchRow[] {
  const launched = watched.launchedAtMs.toSorted((a, b) => a - b);
  const [first = Number.NaN, last = Number.NaN] = [launched[0], launched.at(-1)];
  const paceMs = bucketMs / SHARE;
  const leastMs = first - lostAtMs + bucketMs + (endedAtMs - last);
  const seconds = (what: string, ms: number): BenchRow => ({
    ...{ what: `…   ${what}`, measured: ms / 1_000, unit: 's', budget: null, ok: null },
  });
  return [
    seconds('lost → first StopInstances (detection, decision, intent)', watched.firstStopAtMs - lostAtMs),
    seconds('→ first instance stopped', watched.firstStoppedAtMs - watched.firstStopAtMs),
    seconds('→ first RunInstances (fence seen, capture)', first - watched.firstStoppedAtMs),
    seconds('→ last RunInstances', last - first),
    seconds(`of which the bucket's pace at a share of ${SHARE}`, paceMs),
    seconds('last RunInstances → last replacement (boot, verified, activated)', endedAtMs - last),
    {
      what: '… ÷ (until the first launch + the bucket + after the last launch)',
      ...{ measured: (endedAtMs - lostAtMs) / leastMs, unit: 'ratio', budget: null, ok: null },
    },
  ];
}

/** A whole zone is lost, with EC2's own buckets on. The whole coordinator runs. */
export const lostZone = (): Promise<readonly BenchRow[]> => lostZoneOf(LOST);
