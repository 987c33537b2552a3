import { createSocket, type Socket } from 'node:dgram';
import { HeartbeatListener, type ObserverTable, UdpSocket } from '@understudy/coordinator';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { type BenchRow, median } from './bench.ts';
import { benchTable, introduce } from './bench-table.ts';
import { HeartbeatSource } from './heartbeat-source.ts';
import { Sender } from './sender-process.ts';

const AGENTS = 10_000;
const DATAGRAMS = 400_000;
const ROUNDS = 5;
const BUFFER_BYTES = 4 << 20;
const clock = new SystemClock();

interface Flow {
  readonly received: number;
  readonly sent: number;
  readonly perSecond: number;
  /** Of this (the receiving) process. */
  readonly cpuUs: number;
}

/** Sends what is prepared and counts until nothing more comes. `received()` is asked at the start and the end. */
async function flow(sender: Sender, port: number, received: () => number, perSecond: number | null): Promise<Flow> {
  const before = received();
  const cpu = process.cpuUsage();
  const fromMs = clock.monotonicMs();
  const { sent } = await sender.do({ kind: 'send', port, perSecond });
  let last = -1;
  let endMs = clock.monotonicMs();
  while (received() !== last) {
    last = received();
    endMs = clock.monotonicMs();
    await clock.sleep(20);
  }
  const used = process.cpuUsage(cpu);
  const count = received() - before;
  if (count < sent / 10)
    throw new Error(`${count} of ${sent} datagrams counted: the sender's are not what the receiver takes`);
  return {
    received: count,
    sent,
    perSecond: (count * 1_000) / (endMs - fromMs),
    cpuUs: (used.user + used.system) / count,
  };
}

/** The yardstick: a `node:dgram` socket that counts. */
async function bareCounter(): Promise<{ port: number; received: () => number; socket: Socket }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => void socket.bind(0, '127.0.0.1', resolve));
  socket.setRecvBufferSize(BUFFER_BYTES);
  let count = 0;
  socket.on('message', () => {
    count++;
  });
  return { port: socket.address().port, received: () => count, socket };
}

/** What a coordinator runs: socket, listener, table, acks, ticks. Only authentic, new, confirmed heartbeats count. */
async function observerUnderTest(table: ObserverTable) {
  const socket = await UdpSocket.open({ host: '127.0.0.1', port: 0 }, silentLog);
  const listener = new HeartbeatListener({ socket, table, clock, log: silentLog });
  listener.start();
  const ticking = setInterval(() => void listener.tick(), table.settings.tickMs);
  return {
    port: socket.localPort,
    received: () => table.counts.recorded,
    acks: () => listener.stats().acksSentCount,
    stop: async () => {
      clearInterval(ticking);
      await listener.stop();
    },
  };
}

/** Routine acks never fall due (the counter they wait for ends at 255): receiving alone. */
const SILENT = { ackEvery: 256 };

/**
 * In turn, under the same sender: the bare counter, the observer receiving, the observer receiving and acknowledging. Then the last one at half the
 * rate of the bare counter. Each ratio is of neighbours in time; the median of the rounds counts.
 */
export async function heartbeatIngest(): Promise<readonly BenchRow[]> {
  const [silentTable, ackingTable] = [
    benchTable(AGENTS, clock.monotonicMs(), SILENT),
    benchTable(AGENTS, clock.monotonicMs()),
  ];
  const introduceAll = (table: ObserverTable) =>
    Array.from({ length: AGENTS }, (_, i) => introduce(table, new HeartbeatSource(i), clock.monotonicMs()));
  const challenges = introduceAll(silentTable);
  introduceAll(ackingTable);
  const sender = new Sender();
  const bare = await bareCounter();
  const silent = await observerUnderTest(silentTable);
  const acking = await observerUnderTest(ackingTable);
  try {
    await sender.do({ kind: 'agents', challenges });
    const run = async (target: { port: number; received: () => number }, count: number, perSecond: number | null) => {
      await sender.do({ kind: 'prepare', count });
      return flow(sender, target.port, target.received, perSecond);
    };
    for (const target of [bare, silent, acking]) await run(target, DATAGRAMS / 4, null);
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++)
      rounds.push({
        bare: await run(bare, DATAGRAMS, null),
        silent: await run(silent, DATAGRAMS, null),
        acking: await run(acking, DATAGRAMS, null),
      });
    const bareRate = median(rounds.map((round) => round.bare.perSecond));
    const half = await run(acking, Math.round(bareRate), bareRate / 2);
    return rows(rounds, half, acking.acks());
  } finally {
    sender.stop();
    bare.socket.close();
    await silent.stop();
    await acking.stop();
  }
}

interface Round {
  readonly bare: Flow;
  readonly silent: Flow;
  readonly acking: Flow;
}

function rows(rounds: readonly Round[], half: Flow, acks: number): BenchRow[] {
  const plain = (what: string, measured: number, unit: string): BenchRow => ({
    what,
    measured,
    budget: null,
    unit,
    ok: null,
  });
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const ratio = of((round) => round.silent.perSecond / round.bare.perSecond);
  const lost = half.sent - half.received;
  return [
    plain('bare node:dgram counter', Math.round(of((round) => round.bare.perSecond)), 'datagrams/s'),
    plain('authenticated ingest', Math.round(of((round) => round.silent.perSecond)), 'datagrams/s'),
    { what: 'ingest ÷ bare counter', measured: ratio, budget: '≥ 0.80', unit: 'ratio', ok: ratio >= 0.8 },
    plain(
      'ingest and acks ÷ bare counter',
      of((round) => round.acking.perSecond / round.bare.perSecond),
      'ratio',
    ),
    plain(
      'CPU per datagram, bare',
      of((round) => round.bare.cpuUs),
      'µs',
    ),
    plain(
      'CPU per datagram, ingest',
      of((round) => round.silent.cpuUs),
      'µs',
    ),
    plain(
      'CPU per datagram, ingest and acks',
      of((round) => round.acking.cpuUs),
      'µs',
    ),
    plain(
      'share received, bare',
      of((round) => round.bare.received / round.bare.sent),
      'ratio',
    ),
    plain(
      'share received, ingest',
      of((round) => round.silent.received / round.silent.sent),
      'ratio',
    ),
    {
      what: `lost at half the bare rate, of ${half.sent}`,
      measured: lost,
      budget: '= 0',
      unit: 'datagrams',
      ok: lost === 0,
    },
    plain('acks sent in all', acks, 'acks'),
  ];
}
