import { SeededRandom } from '@understudy/shared/testing';
import type { LossPath } from '../detection/chance.ts';
import { clusterVerdict, Ear, listenTogether } from '../detection/cluster.ts';
import { DEFAULTS, Site } from '../detection/site.ts';
import { ScenarioCluster } from '../scenarios/coordinator/scenario-cluster.ts';
import type { BenchRow } from './bench.ts';

const CRASHES = 1_000;
const EARLIEST_MS = 7_000;
const LATEST_MS = 9_300;
const MEMBERS = 6;
/**
 * Crashes in a whole simulated cluster. Each costs half a minute of simulated time of three
 * coordinators.
 */
const CLUSTER_CRASHES = 1_000;
const STEP_MS = 10;

/**
 * Three observers have ticks out of phase. Heartbeats come at 1 s ± 10 %. Nothing is lost until the
 * crash, and everything after it.
 */
function crashTimesMs(seed: number): { readonly first: number; readonly all: number; readonly assessed: number } {
  const random = new SeededRandom(seed);
  const crashMs = 10_000 + random.next() * 5_000;
  const path: LossPath = { lost: (atMs) => atMs >= crashMs };
  const ears = [1, 2, 3].map((nonce) => new Ear(new Site(nonce, 0, random.next() * DEFAULTS.tickMs), path));
  function* beatsMs() {
    for (let atMs = random.next() * 1_000; ; atMs += 900 + random.next() * 200) yield atMs;
  }
  const seen = { first: Number.POSITIVE_INFINITY, all: Number.POSITIVE_INFINITY, assessed: Number.POSITIVE_INFINITY };
  listenTogether(ears, beatsMs(), crashMs + 30_000, (nowMs) => {
    const verdicts = ears.map(({ site }) => site.verdict);
    const afterMs = nowMs - crashMs;
    if (verdicts.includes('dead')) seen.first = Math.min(seen.first, afterMs);
    if (verdicts.every((verdict) => verdict === 'dead')) seen.all = Math.min(seen.all, afterMs);
    if (seen.assessed > afterMs && clusterVerdict(verdicts, nowMs) === 'dead') seen.assessed = afterMs;
  });
  return seen;
}

function quantilesOf(what: string, tookMs: readonly number[]): BenchRow[] {
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (q: number) => sorted[Math.round(q * (sorted.length - 1))] ?? Number.NaN;
  const plain = [
    ['min', 0],
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
    ['max', 1],
  ] as const;
  const early = sorted.filter((ms) => ms < EARLIEST_MS).length / sorted.length;
  return [
    ...plain.map(([name, q]) => ({
      what: `${what}, ${name}`,
      measured: Math.round(at(q)),
      unit: 'ms',
      budget: null,
      ok: null,
    })),
    { what: `${what}, max ÷ 9.3 s`, measured: at(1) / LATEST_MS, unit: 'ratio', budget: '≤ 1', ok: at(1) <= LATEST_MS },
    { what: `${what}, p50 ÷ 9.3 s`, measured: at(0.5) / LATEST_MS, unit: 'ratio', budget: null, ok: null },
    {
      what: `${what}, p1 ÷ 7 s`,
      measured: at(0.01) / EARLIEST_MS,
      unit: 'ratio',
      budget: '≥ 1',
      ok: at(0.01) >= EARLIEST_MS,
    },
    { what: `${what}, share under 7 s`, measured: early, unit: 'ratio', budget: null, ok: null },
  ];
}

/**
 * Time from a member's silence until the leader's own assessment says `dead`. It includes
 * observers, etcd, watch, EC2's answer and `assess`.
 */
async function clusterTimesMs(): Promise<readonly number[]> {
  const world = new ScenarioCluster({ seed: 1 });
  const seeded = Array.from({ length: MEMBERS }, (_, index) => ({
    member: `prod/db${index}` as const,
    ...world.seed(`prod/db${index}`, { az: `us-east-1${'abc'[index % 3]}` }),
  }));
  await world.up();
  // Only the verdict matters, so no member may be replaced.
  world.pause('global');
  const random = new SeededRandom(2);
  const tookMs: number[] = [];
  const verdictOf = (member: string) =>
    world
      .mustLead()
      .coordinator.api.members()
      .find((one) => one.member === member)?.verdict;
  for (let crash = 0; crash < CLUSTER_CRASHES; crash++) {
    const one = seeded[crash % MEMBERS];
    if (!one) continue;
    await world.clock.advance(Math.round(5_000 + random.next() * 2_000));
    await world.silence(one.instanceId);
    const fromMs = world.clock.monotonicMs();
    while (verdictOf(one.member) !== 'dead') {
      const afterMs = world.clock.monotonicMs() - fromMs;
      if (afterMs > 60_000) throw new Error(`${one.member} is ${verdictOf(one.member)} after a minute`);
      await world.clock.advance(afterMs < 6_500 ? 250 : STEP_MS);
    }
    tookMs.push(world.clock.monotonicMs() - fromMs);
    world.speak(one.instanceId);
    await world.until('alive again', () => verdictOf(one.member) === 'alive', 30_000);
  }
  world.expectHealthy();
  return tookMs;
}

/**
 * Time from crash to `dead` at default settings. It is simulated, so nothing of it depends on this
 * machine.
 */
export async function detectionTime(): Promise<readonly BenchRow[]> {
  const runs = Array.from({ length: CRASHES }, (_, seed) => crashTimesMs(seed));
  const inCluster = await clusterTimesMs();
  return [
    ...quantilesOf(
      'crash → dead at every observer',
      runs.map(({ all }) => all),
    ),
    ...quantilesOf('crash → dead for the leader, etcd and EC2 included', inCluster),
  ];
}
