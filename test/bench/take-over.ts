import { setTimeout as wait } from 'node:timers/promises';
import { type CoordinatorUnderTest, coordinatorUnderTest, TIMING } from '../integration/etcd/coordinator-under-test.ts';
import { EtcdCluster } from '@understudy/local-cluster';
import { type BenchRow, median } from './bench.ts';

const RUNS = 7;
const WAIT_LIMIT_MS = 20_000;
const HAND_OVER_LIMIT_MS = 200;

async function until(holds: () => boolean): Promise<void> {
  const startedAtMs = performance.now();
  while (!holds()) {
    if (performance.now() - startedAtMs > WAIT_LIMIT_MS) throw new Error('nobody took over');
    await wait(2);
  }
}

const leads = (one: CoordinatorUnderTest) => one.leadership.current() !== null;

async function pair(cluster: EtcdCluster, run: string): Promise<readonly [CoordinatorUnderTest, CoordinatorUnderTest]> {
  const at = { port: cluster.port(), root: `/bench-${run}/` };
  const a = await coordinatorUnderTest({ id: 'a', ...at });
  a.leadership.start();
  await until(() => leads(a));
  const b = await coordinatorUnderTest({ id: 'b', ...at });
  b.leadership.start();
  await until(() => b.leadership.knownLeader()?.coordinatorId === 'a');
  return [a, b];
}

/** Resolves when it leads and its first guarded write is in etcd. */
async function acts(one: CoordinatorUnderTest, run: string): Promise<void> {
  await until(() => leads(one));
  const puts = [{ key: `/bench-${run}/acted`, record: { by: one.id }, expect: 0 }] as const;
  const outcome = await one.leadership.current()?.commit({ puts });
  if (outcome?.kind !== 'committed') throw new Error(`the successor's first write: ${outcome?.kind ?? 'no term'}`);
}

/**
 * The leader is cut off without a word, as by a SIGKILL of the machine: every byte of it is
 * swallowed from now on.
 */
async function silentLossMs(cluster: EtcdCluster, run: number): Promise<number> {
  const [a, b] = await pair(cluster, `loss-${run}`);
  // The cut falls anywhere between two keepalives.
  await wait(TIMING.keepaliveMs * Math.random());
  const cutAtMs = performance.now();
  a.proxy.swallow('toServer', 'toClient');
  await acts(b, `loss-${run}`);
  const tookMs = performance.now() - cutAtMs;
  a.proxy.heal();
  await Promise.all([a.close(), b.close()]);
  return tookMs;
}

async function handOverMs(cluster: EtcdCluster, run: number): Promise<number> {
  const [a, b] = await pair(cluster, `hand-over-${run}`);
  const startedAtMs = performance.now();
  const resigned = a.leadership.resign();
  await acts(b, `hand-over-${run}`);
  const tookMs = performance.now() - startedAtMs;
  await resigned;
  await Promise.all([a.close(), b.close()]);
  return tookMs;
}

/** Real etcd, with real connections through a proxy. The TTL is 2 s. */
export async function leaderTakeOver(): Promise<readonly BenchRow[]> {
  const cluster = await EtcdCluster.start();
  try {
    const losses: number[] = [];
    const handOvers: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      losses.push(await silentLossMs(cluster, run));
      handOvers.push(await handOverMs(cluster, run));
    }
    const limitMs = TIMING.ttlMs + 1_000;
    return [
      ...rowsOf(`leader lost → successor acts, TTL ${TIMING.ttlMs} ms`, losses, limitMs, 'TTL + 1 s'),
      ...rowsOf('planned hand-over → successor acts', handOvers, HAND_OVER_LIMIT_MS, '200 ms'),
    ];
  } finally {
    await cluster.stop();
  }
}

function rowsOf(what: string, tookMs: readonly number[], limitMs: number, limit: string): BenchRow[] {
  const worst = Math.max(...tookMs);
  const plain = { unit: 'ms', budget: null, ok: null };
  return [
    { what: `${what}, best of ${tookMs.length}`, measured: Math.min(...tookMs), ...plain },
    { what: `${what}, median`, measured: median(tookMs), ...plain },
    { what: `${what}, worst`, measured: worst, ...plain },
    { what: `${what}, median ÷ (${limit})`, measured: median(tookMs) / limitMs, unit: 'ratio', budget: null, ok: null },
    {
      what: `${what}, worst ÷ (${limit})`,
      measured: worst / limitMs,
      unit: 'ratio',
      budget: '≤ 1',
      ok: worst <= limitMs,
    },
  ];
}
