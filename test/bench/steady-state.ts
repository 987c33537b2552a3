import { HeartbeatListener, type ObserverTable } from '@understudy/observer';
import { OpinionPublisher } from '@understudy/coordinator/testing';
import { keyspace, silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { SimKv } from '@understudy/shared/testing';
import type { BenchRow } from './bench.ts';
import { bareCounter } from './bare-counter.ts';
import { openBenchSocket } from './bench-socket.ts';
import { benchTable, introduce } from './bench-table.ts';
import { HeartbeatSource } from './heartbeat-source.ts';
import { Sender } from './sender-process.ts';

/**
 * Measures the cost when nothing happens: 10 000 healthy agents at 1 Hz and one coordinator's
 * observer (socket, table, acks, ticks, opinions to in-memory etcd).
 */
const AGENTS = 10_000;
const SECONDS = 10;
const clock = new SystemClock();

/** Counts what the publisher writes, key by key. */
async function countingPublisher() {
  const kv = new SimKv({ clock });
  const store = kv.client('c1');
  let writes = 0;
  const keys = keyspace('/bench/');
  const { leaseId } = await store.grantLease(3_600_000);
  const key = keys.coordinator('c1');
  const own = await store.txn({ compare: [], writes: [{ kind: 'put', key, value: '', leaseId }] });
  const standing = { leaseId, compare: { key, modRevision: own.revision } };
  kv.onCommit(({ txn }) => {
    writes += txn.writes?.length ?? 0;
  });
  const presence = {
    ...{ standing: () => standing, onChange: () => () => undefined },
    ...{ reportLost: () => undefined, withdraw: () => undefined },
  };
  const observer = { id: 'c1', az: 'us-east-1a' };
  const publisher = new OpinionPublisher({
    store,
    keys,
    presence,
    clock,
    random: new SystemRandom(),
    log: silentLog,
    observer,
  });
  // The lease would keep the process alive for its hour.
  const stop = async () => {
    publisher.stop();
    await store.revokeLease(leaseId);
  };
  return { publisher, writes: () => writes, stop };
}

interface Cost {
  /** Share of one core. */
  readonly cpuRatio: number;
  readonly writesAtFirst: number;
  readonly writesPerSecond: number;
  readonly heardRatio: number;
}

function beatTime(table: ObserverTable, listener: HeartbeatListener, publisher: OpinionPublisher): () => void {
  const timer = setInterval(() => {
    listener.tick();
    publisher.offer(table.takeChanges());
    void publisher.flush();
  }, table.settings.tickMs);
  return () => clearInterval(timer);
}

async function run(sender: Sender, receiveThreads: number): Promise<Cost> {
  const table = benchTable(AGENTS, clock.monotonicMs());
  const challenges = Array.from({ length: AGENTS }, (_, i) =>
    introduce(table, new HeartbeatSource(i), clock.monotonicMs()),
  );
  await sender.do({ kind: 'agents', challenges });
  const hearing = await openBenchSocket(receiveThreads);
  const listener = new HeartbeatListener({ ...hearing, table, clock, log: silentLog });
  const { publisher, writes, stop } = await countingPublisher();
  listener.start();
  const stopTicking = beatTime(table, listener, publisher);
  // In the first round every agent is heard and published.
  await sender.do({ kind: 'prepare', count: AGENTS * 2 });
  await sender.do({ kind: 'send', port: hearing.socket.localPort, perSecond: AGENTS });
  while (publisher.pendingCount > 0) await clock.sleep(20);
  await sender.do({ kind: 'prepare', count: AGENTS * SECONDS });
  const before = { writes: writes(), recorded: table.counts.recorded };
  const cpu = process.cpuUsage();
  const fromMs = clock.monotonicMs();
  const { sent } = await sender.do({ kind: 'send', port: hearing.socket.localPort, perSecond: AGENTS });
  const used = process.cpuUsage(cpu);
  const tookMs = clock.monotonicMs() - fromMs;
  await clock.sleep(50);
  listener.tick();
  const cost = {
    cpuRatio: (used.user + used.system) / 1_000 / tookMs,
    writesAtFirst: before.writes,
    writesPerSecond: (writes() - before.writes) / (tookMs / 1_000),
    heardRatio: (table.counts.recorded - before.recorded) / sent,
  };
  stopTicking();
  await stop();
  await listener.stop();
  return cost;
}

/** The yardstick: what it costs when the datagrams are counted and nothing else is done. */
async function bareRatio(sender: Sender): Promise<number> {
  const { port, socket } = await bareCounter();
  await sender.do({ kind: 'prepare', count: AGENTS * SECONDS });
  const cpu = process.cpuUsage();
  const fromMs = clock.monotonicMs();
  await sender.do({ kind: 'send', port, perSecond: AGENTS });
  const used = process.cpuUsage(cpu);
  socket.close();
  return (used.user + used.system) / 1_000 / (clock.monotonicMs() - fromMs);
}

export async function steadyState(): Promise<readonly BenchRow[]> {
  const sender = new Sender();
  try {
    const thread = await run(sender, 1);
    const main = await run(sender, 0);
    const bare = await bareRatio(sender);
    if (thread.writesAtFirst < AGENTS) throw new Error(`${thread.writesAtFirst} opinions written, want ${AGENTS}`);
    const plain = (what: string, measured: number, unit: string) => ({ what, measured, unit, budget: null, ok: null });
    return [
      {
        what: '10 000 agents at 1 Hz, receive thread: share of a core',
        measured: thread.cpuRatio,
        budget: '≤ 0.08',
        unit: 'ratio',
        ok: thread.cpuRatio <= 0.08,
      },
      plain('the same ÷ bare node:dgram counter', thread.cpuRatio / bare, 'ratio'),
      plain('10 000 agents at 1 Hz, main thread: share of a core', main.cpuRatio, 'ratio'),
      plain('10 000 agents at 1 Hz, receive thread: share heard', thread.heardRatio, 'ratio'),
      plain('opinions written at first', thread.writesAtFirst, 'keys'),
      {
        what: 'etcd writes in steady state, 10 000 healthy agents, one coordinator',
        measured: thread.writesPerSecond,
        budget: '≤ 2',
        unit: 'keys/s',
        ok: thread.writesPerSecond <= 2,
      },
    ];
  } finally {
    sender.stop();
  }
}
