import { setTimeout as wait } from 'node:timers/promises';
import { type CoordinatorUnderTest, coordinatorUnderTest, TIMING } from '../integration/etcd/coordinator-under-test.ts';
import { EtcdCluster } from '../integration/etcd/etcd-cluster.ts';
import { type BenchRow, median } from './bench.ts';

const RUNS = 7;
const WAIT_LIMIT_MS = 20_000;

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

/** Cut off without a word, as a SIGKILL of the machine would: every byte of the leader is swallowed from now on. */
async function silentLossMs(cluster: EtcdCluster, run: number): Promise<number> {
  const [a, b] = await pair(cluster, `loss-${run}`);
  // Anywhere between two keepalives.
  await wait(TIMING.keepaliveMs * Math.random());
  const cutAtMs = performance.now();
  a.proxy.swallow('toServer', 'toClient');
  await until(() => leads(b));
  const tookMs = performance.now() - cutAtMs;
  a.proxy.heal();
  await Promise.all([a.close(), b.close()]);
  return tookMs;
}

async function handOverMs(cluster: EtcdCluster, run: number): Promise<number> {
  const [a, b] = await pair(cluster, `hand-over-${run}`);
  const startedAtMs = performance.now();
  const resigned = a.leadership.resign();
  await until(() => leads(b));
  const tookMs = performance.now() - startedAtMs;
  await resigned;
  await Promise.all([a.close(), b.close()]);
  return tookMs;
}

/** Real etcd, real connections through a proxy; TTL 2 s. */
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
    const worst = Math.max(...losses);
    const slowest = Math.max(...handOvers);
    return [
      {
        what: 'leader lost → successor leads, worst ÷ (TTL + 1 s)',
        measured: worst / limitMs,
        unit: 'ratio',
        budget: '≤ 1',
        ok: worst <= limitMs,
      },
      {
        what: `leader lost → successor leads, median of ${RUNS}, TTL ${TIMING.ttlMs} ms`,
        measured: median(losses),
        unit: 'ms',
        budget: null,
        ok: null,
      },
      { what: 'planned hand-over, worst', measured: slowest, unit: 'ms', budget: '≤ 200', ok: slowest <= 200 },
      { what: `planned hand-over, median of ${RUNS}`, measured: median(handOvers), unit: 'ms', budget: null, ok: null },
    ];
  } finally {
    await cluster.stop();
  }
}
