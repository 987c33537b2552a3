import { seedInstance, type SeededInstance } from '@understudy/cloud-sim';
import type { CoordinatorConfig } from '@understudy/coordinator/testing';
import { DEFAULT_POLICY, type MemberId } from '@understudy/shared';
import { type PolicyChange, type SimKvCommit } from '@understudy/shared/testing';
import type { ScriptedAgent } from '../sim/cluster/scripted-agent.ts';
import { SimulatedCluster } from '../sim/cluster/simulated-cluster.ts';
import type { BenchRow } from './bench.ts';

/** What is lost, and how. */
interface Loss {
  /** Members of the zone. */
  readonly members: number;
  /**
   * `machines-off`: all of them lose power, and EC2 still answers for the zone: it stops them, and
   * makes snapshots of their disks. `no-snapshots`: the same, but no disk can be captured any more,
   * so that all come back as the operator's backups have them. `zone-failed`: nothing in the zone
   * answers, and EC2's calls about it fail until its control plane is back; the machines stay off.
   */
  readonly how: 'machines-off' | 'no-snapshots' | 'zone-failed';
  /** Each has a record in one hosted zone and is a target of one group. */
  readonly named: boolean;
}

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
/** How long EC2 does not answer for a zone that has failed. */
const FAILED_FOR_MS = 600_000;
const BOOT_LOOK_MS = 5_000;

/** A fleet as large as that recovers at the pace of EC2, not of the guard. */
const GUARD: Partial<CoordinatorConfig['guard']> = { budgetPerMinute: 1_000, budgetBurst: 1_000 };
const POLICY = { guard: { whenZoneLost: 'recover', concurrency: 1_000, bootGraceMs: 0 } } as const;
/** What agents promise, for members of a zone in which EC2 cannot stop them. */
const PROMISE = { stopWithinSeconds: 60, watchdog: true } as const;
const SERVE_LEASE = { stopWithinMs: 60_000, requireWatchdog: true, fenceAfterMs: 0 } as const;
const BACKUP_AGE_MAX_MS = 3_600_000;

/** Those of EC2 and Elastic Load Balancing, of Route 53, and of Route 53 about one zone. */
const THROTTLES: ReadonlySet<string> = new Set(['RequestLimitExceeded', 'Throttling', 'PriorRequestNotComplete']);

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
      if (THROTTLES.has(event.outcome)) this.throttled += 1;
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

function seedZone(cluster: SimulatedCluster, az: string, count: number): readonly SeededMember[] {
  return Array.from({ length: count }, (_, at) => {
    const member: MemberId = `${GROUP}/${az}-${at}`;
    return { member, ...seedInstance(cluster.cloud, { member, az, userData: `member: ${member}` }) };
  });
}

type SeededMember = SeededInstance & { readonly member: MemberId };

/** What the group says of a loss: how it comes back, and what names its members. */
function policyOf(cluster: SimulatedCluster, { how }: Loss): PolicyChange {
  const { zones, defaultResources } = cluster.cloud;
  const placements = zones.map((zone) => ({ subnetId: defaultResources.subnets[zone] ?? '' }));
  const volumes = { ...DEFAULT_POLICY.recover.volumes, maxDataLossMs: BACKUP_AGE_MAX_MS };
  const blind = {
    ...(how === 'zone-failed' && { serveLease: SERVE_LEASE }),
    ...(how !== 'machines-off' && { volumes }),
  };
  return { ...POLICY, ...cluster.identities.policy, recover: { placements, ...blind } };
}

/** Records and registrations, as if for long. */
function nameAll(cluster: SimulatedCluster, all: readonly SeededMember[]): void {
  for (const [at, one] of all.entries()) cluster.identities.name(one.member, `n${at + 1}`, one);
}

/** Everybody is enrolled and heard. */
async function heardFleet(
  loss: Loss,
): Promise<{ readonly cluster: SimulatedCluster; readonly zone: string; readonly lostIds: readonly string[] }> {
  const cluster = new SimulatedCluster(
    { seed: 1, coordinators: 3, members: 0, identities: loss.named },
    { agents: 'scripted', signs: 'hmac', guard: GUARD, loop: { recoveriesMax: 2_000 }, rates: { share: SHARE } },
  );
  cluster.put(cluster.keys.group(GROUP), { group: GROUP, policy: policyOf(cluster, loss) });
  const [zone = '', ...others] = cluster.cloud.zones;
  const lost = seedZone(cluster, zone, loss.members);
  const elsewhere = others.flatMap((az) => seedZone(cluster, az, Math.ceil(loss.members * OTHERS)));
  if (loss.named) nameAll(cluster, lost);
  cluster.machines.settled = true;
  const agents = cluster.machines.scriptedAgents;
  for (const { instanceId } of elsewhere) slowDown(agents.get(instanceId));
  if (loss.how === 'zone-failed') promise(cluster);
  for (const host of cluster.hosts) host.start();
  await cluster.kernel.until('all enrolled', () => enrolled(cluster) === lost.length + elsewhere.length, 600_000);
  const lostIds = lost.map((one) => one.instanceId);
  if (loss.how !== 'machines-off') backUp(cluster, lostIds);
  await cluster.kernel.advance(WARM_UP_MS);
  return { cluster, zone, lostIds };
}

/** The operator's own backups, of every disk. */
function backUp(cluster: SimulatedCluster, instanceIds: readonly string[]): void {
  for (const InstanceId of instanceIds)
    cluster.cloud.seed('CreateSnapshots', { InstanceSpecification: { InstanceId } });
}

function slowDown(agent: ScriptedAgent | undefined): void {
  if (agent) agent.intervalMs = OTHERS_EVERY_MS;
}

const enrolled = (cluster: SimulatedCluster): number => cluster.kv.entries(cluster.keys.activations).length;

async function lostZoneOf(loss: Loss): Promise<readonly BenchRow[]> {
  const { cluster, zone, lostIds } = await heardFleet(loss);
  const watched = new Watched(cluster);
  if (loss.how === 'zone-failed') return failedFor(cluster, zone, watched);
  const lostAtMs = cluster.kernel.monotonicMs();
  const beganAt = performance.now();
  for (const instanceId of lostIds) cluster.cloud.crashInstance(instanceId);
  if (loss.how === 'no-snapshots') cluster.cloud.addFault({ ...NO_SNAPSHOTS, times: loss.members });
  await cluster.kernel.until('all replaced', () => watched.activatedAtMs.size >= loss.members, LIMIT_MS);
  return rowsOf(watched, loss, lostAtMs, performance.now() - beganAt);
}

const NO_SNAPSHOTS = { id: 'no-snapshots', action: 'CreateSnapshots', kind: 'error', code: 'InternalError' } as const;

/** The zone fails as a whole, and EC2 answers for it again after a while. */
async function failedFor(cluster: SimulatedCluster, zone: string, watched: Watched): Promise<readonly BenchRow[]> {
  cluster.cloud.failZone(zone);
  await cluster.kernel.advance(FAILED_FOR_MS);
  const without = standing(cluster, watched, `${FAILED_FOR_MS / 60_000} min without EC2's word on the zone`);
  cluster.cloud.healZone(zone, 'stay-down');
  for (let atMs = 0; atMs < FAILED_FOR_MS; atMs += BOOT_LOOK_MS) {
    promise(cluster);
    await cluster.kernel.advance(BOOT_LOOK_MS);
  }
  return [...without, ...standing(cluster, watched, `${FAILED_FOR_MS / 60_000} min after EC2 answers again`)];
}

/** Agents that have booted meanwhile promise what the member's contract asks for. */
function promise(cluster: SimulatedCluster): void {
  for (const agent of cluster.machines.scriptedAgents.values()) agent.servePromise = PROMISE;
}

/** How members stand: replaced, or held, and why. */
function standing(cluster: SimulatedCluster, watched: Watched, when: string): readonly BenchRow[] {
  const reasons = cluster.kv.entries(cluster.keys.holds).map(({ value }) => /"reason":"(\w+)"/.exec(value)?.[1] ?? '');
  const row = (what: string, measured: number): BenchRow => ({
    ...{ what: `${when}: ${what}`, measured, unit: 'members', budget: null, ok: null },
  });
  return [
    row('replaced', watched.activatedAtMs.size),
    ...[...new Set(reasons)].map((one) => row(`held, ${one}`, reasons.filter((other) => other === one).length)),
  ];
}

const ratioRow = (what: string, measured: number): BenchRow => ({
  ...{ what, measured, unit: 'ratio', budget: '≤ 1.10', ok: measured <= 1.1 },
});

function rowsOf(
  watched: Watched,
  { members: lost, how, named }: Loss,
  lostAtMs: number,
  tookMs: number,
): readonly BenchRow[] {
  const kind = `${lost} members${named ? ' with names' : ''}, ${how}`;
  const activated = [...watched.activatedAtMs.values()].toSorted((a, b) => a - b);
  const wallMs = (activated.at(-1) ?? 0) - lostAtMs;
  const firstMs = (activated[0] ?? 0) - lostAtMs;
  const bucketMs = ((lost - LAUNCHES.burst) * 1_000) / LAUNCHES.refillPerSecond;
  const calls = [...watched.calls.values()].reduce((sum, count) => sum + count, 0);
  const seconds = [...watched.commitsBySecond.values()];
  const plain = { budget: null, ok: null };
  return [
    // The issue's own budget; and what is within our reach, because the first has to come first.
    ratioRow(`${kind}: last replacement ÷ minimum of the bucket of RunInstances`, wallMs / bucketMs),
    ratioRow('… ÷ (first replacement + minimum of the bucket)', wallMs / (firstMs + bucketMs)),
    { what: '… until the last replacement (simulated)', measured: wallMs / 1_000, unit: 's', ...plain },
    { what: '… until the first (simulated)', measured: firstMs / 1_000, unit: 's', ...plain },
    ...partsOf(watched, lostAtMs, lostAtMs + wallMs, bucketMs),
    { what: '… API calls per recovery', measured: calls / lost, unit: 'calls', ...plain },
    ...[...watched.calls]
      .toSorted(([, a], [, b]) => b - a)
      .map(([action, count]) => ({ what: `…   ${action}`, measured: count / lost, unit: 'calls', ...plain })),
    { what: '… calls that were throttled', measured: watched.throttled, unit: 'calls', ...plain },
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

/** All machines of a zone lose power, with EC2's own buckets on. The whole coordinator runs. */
export const lostZone = (): Promise<readonly BenchRow[]> =>
  lostZoneOf({ members: 1_000, how: 'machines-off', named: false });

/** A zone fails in the other ways, and members of it that have names. A smaller fleet: minutes. */
export async function failedZone(): Promise<readonly BenchRow[]> {
  const members = 100;
  return [
    ...(await lostZoneOf({ members, how: 'no-snapshots', named: false })),
    ...(await lostZoneOf({ members, how: 'zone-failed', named: false })),
    ...(await lostZoneOf({ members, how: 'machines-off', named: true })),
  ];
}
