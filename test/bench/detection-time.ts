import { type DetectionProfile, PROFILE_NAMES } from '@understudy/shared';
import { SeededRandom } from '@understudy/shared/testing';
import type { LossPath } from '../detection/chance.ts';
import { clusterVerdict, Ear, listenTogether } from '../detection/cluster.ts';
import { Site, timingOf } from '../detection/site.ts';
import { ScenarioCluster } from '../scenarios/coordinator/scenario-cluster.ts';
import type { BenchRow } from './bench.ts';

/** What a profile promises: no crash is called dead sooner, and none later. */
const PROMISED: Readonly<Record<DetectionProfile, { readonly earliestMs: number; readonly latestMs: number }>> = {
  fast: { earliestMs: 2_000, latestMs: 3_000 },
  default: { earliestMs: 7_000, latestMs: 9_300 },
  calm: { earliestMs: 18_500, latestMs: 22_000 },
};
const CRASHES = 1_000;
const MEMBERS = 6;
/**
 * Crashes in a whole simulated cluster. Each costs half a minute of simulated time of three
 * coordinators.
 */
const CLUSTER_CRASHES: Readonly<Record<DetectionProfile, number>> = { fast: 200, default: 300, calm: 100 };
const STEP_MS = 10;

/**
 * Three observers have ticks out of phase. Heartbeats come at the profile's interval ± 10 %.
 * Nothing is lost until the crash, and everything after it.
 */
function crashTimesMs(profile: DetectionProfile, seed: number): number {
  const timing = timingOf(profile);
  const random = new SeededRandom(seed);
  const crashMs = 10_000 + random.next() * 5_000;
  const path: LossPath = { lost: (atMs) => atMs >= crashMs };
  const ears = [1, 2, 3].map((nonce) => new Ear(new Site(nonce, 0, random.next() * timing.tickMs, timing), path));
  function* beatsMs() {
    const { intervalMs } = timing;
    for (let atMs = random.next() * intervalMs; ; atMs += intervalMs * (0.9 + random.next() * 0.2)) yield atMs;
  }
  let deadAfterMs = Number.POSITIVE_INFINITY;
  listenTogether(ears, beatsMs(), crashMs + 40_000, (nowMs) => {
    const verdicts = ears.map(({ site }) => site.verdict);
    if (clusterVerdict(verdicts, nowMs) === 'dead' && verdicts.every((verdict) => verdict === 'dead'))
      deadAfterMs = Math.min(deadAfterMs, nowMs - crashMs);
  });
  return deadAfterMs;
}

function quantilesOf(what: string, profile: DetectionProfile, tookMs: readonly number[]): BenchRow[] {
  const { earliestMs, latestMs } = PROMISED[profile];
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (q: number) => sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN;
  const plain = [
    ['min', 0],
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
    ['max', 1],
  ] as const;
  const named = `${profile}: ${what}`;
  const seconds = (ms: number) => `${ms / 1_000} s`;
  return [
    ...plain.map(([name, q]) => ({
      what: `${named}, ${name}`,
      measured: Math.round(at(q)),
      unit: 'ms',
      budget: null,
      ok: null,
    })),
    {
      what: `${named}, max ÷ ${seconds(latestMs)}`,
      measured: at(1) / latestMs,
      unit: 'ratio',
      budget: '≤ 1',
      ok: at(1) <= latestMs,
    },
    {
      what: `${named}, p1 ÷ ${seconds(earliestMs)}`,
      measured: at(0.01) / earliestMs,
      unit: 'ratio',
      budget: '≥ 1',
      ok: at(0.01) >= earliestMs,
    },
  ];
}

/**
 * Time from a member's silence until the leader's own assessment says `dead`. It includes
 * observers, etcd, watch, EC2's answer and `assess`.
 */
async function clusterTimesMs(profile: DetectionProfile): Promise<readonly number[]> {
  const world = new ScenarioCluster({ seed: 1, agents: 'production', policy: { detect: { profile } } });
  const seeded = Array.from({ length: MEMBERS }, (_, index) => ({
    member: `prod/db${index}` as const,
    ...world.seed(`prod/db${index}`, { az: `us-east-1${'abc'[index % 3]}` }),
  }));
  await world.up();
  // Only the verdict matters, so no member may be replaced.
  world.pause('global');
  const { latestMs } = PROMISED[profile];
  const random = new SeededRandom(2);
  const tookMs: number[] = [];
  const verdictOf = (member: string) =>
    world
      .mustLead()
      .coordinator.api.members()
      .find((one) => one.member === member)?.verdict;
  for (let crash = 0; crash < CLUSTER_CRASHES[profile]; crash++) {
    const one = seeded[crash % MEMBERS];
    if (!one) continue;
    await world.clock.advance(Math.round(5_000 + random.next() * 2_000));
    await world.silence(one.instanceId);
    const fromMs = world.clock.monotonicMs();
    while (verdictOf(one.member) !== 'dead') {
      const afterMs = world.clock.monotonicMs() - fromMs;
      if (afterMs > 60_000) throw new Error(`${one.member} is ${verdictOf(one.member)} after a minute`);
      await world.clock.advance(afterMs < 0.65 * latestMs ? 250 : STEP_MS);
    }
    tookMs.push(world.clock.monotonicMs() - fromMs);
    world.speak(one.instanceId);
    await world.until('alive again', () => verdictOf(one.member) === 'alive', 30_000);
  }
  world.expectHealthy();
  return tookMs;
}

async function timesOf(profile: DetectionProfile): Promise<readonly BenchRow[]> {
  const runs = Array.from({ length: CRASHES }, (_, seed) => crashTimesMs(profile, seed));
  return [
    ...quantilesOf('crash → dead at every observer', profile, runs),
    ...quantilesOf('crash → dead for the leader, etcd and EC2 included', profile, await clusterTimesMs(profile)),
  ];
}

/**
 * Time from crash to `dead` under each profile. It is simulated, so nothing of it depends on this
 * machine.
 */
export async function detectionTime(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const profile of PROFILE_NAMES) rows.push(...(await timesOf(profile)));
  return rows;
}
