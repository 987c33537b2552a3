import { createSocket, type Socket } from 'node:dgram';
import { HeartbeatListener, type ObserverTable } from '@understudy/observer';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { type BenchRow, median } from './bench.ts';
import { openBenchSocket } from './bench-socket.ts';
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

/**
 * Sends what is prepared and counts until nothing more comes. `received()` is asked at the start
 * and the end.
 */
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

/**
 * What a coordinator runs: socket, listener, table, acks, ticks. Only authentic, new, confirmed
 * heartbeats count.
 */
async function observerUnderTest(table: ObserverTable, receiveThreads: number) {
  const hearing = await openBenchSocket(receiveThreads);
  const listener = new HeartbeatListener({ ...hearing, table, clock, log: silentLog });
  listener.start();
  const ticking = setInterval(() => void listener.tick(), table.settings.tickMs);
  return {
    port: hearing.socket.localPort,
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

/** Each way to receive, without and with acks. Each has a table of its own; all the same agents. */
const WAYS = {
  thread: { receiveThreads: 1, settings: SILENT },
  threadAcking: { receiveThreads: 1, settings: {} },
  main: { receiveThreads: 0, settings: SILENT },
  mainAcking: { receiveThreads: 0, settings: {} },
} as const;
type Way = keyof typeof WAYS;
const NAMES = Object.keys(WAYS) as readonly Way[];
type Round = Readonly<Record<Way | 'bare', Flow>>;

async function observers() {
  const opened = [];
  for (const name of NAMES) {
    const { receiveThreads, settings } = WAYS[name];
    const table = benchTable(AGENTS, clock.monotonicMs(), settings);
    const challenges = Array.from({ length: AGENTS }, (_, i) =>
      introduce(table, new HeartbeatSource(i), clock.monotonicMs()),
    );
    opened.push({ name, challenges, ...(await observerUnderTest(table, receiveThreads)) });
  }
  return opened;
}

/**
 * In turn, under the same sender: the bare counter, then the observer each way. Then the default
 * (thread, acks) at half the rate of the bare counter. Each ratio is of neighbours in time; the
 * median of the rounds counts.
 */
export async function heartbeatIngest(): Promise<readonly BenchRow[]> {
  const sender = new Sender();
  const bare = await bareCounter();
  const opened = await observers();
  try {
    await sender.do({ kind: 'agents', challenges: opened[0]?.challenges ?? [] });
    const run = async (target: { port: number; received: () => number }, count: number, perSecond: number | null) => {
      await sender.do({ kind: 'prepare', count });
      return flow(sender, target.port, target.received, perSecond);
    };
    for (const target of [bare, ...opened]) await run(target, DATAGRAMS / 4, null);
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const flows: [string, Flow][] = [['bare', await run(bare, DATAGRAMS, null)]];
      for (const target of opened) flows.push([target.name, await run(target, DATAGRAMS, null)]);
      rounds.push(Object.fromEntries(flows) as Round);
    }
    const bareRate = median(rounds.map((round) => round.bare.perSecond));
    const acking = opened.find(({ name }) => name === 'threadAcking');
    if (!acking) throw new Error('no acking observer');
    const half = await run(acking, Math.round(bareRate), bareRate / 2);
    return rows(rounds, half, acking.acks());
  } finally {
    sender.stop();
    bare.socket.close();
    for (const { stop } of opened) await stop();
  }
}

const plain = (what: string, measured: number, unit: string): BenchRow => ({
  what,
  measured,
  budget: null,
  unit,
  ok: null,
});

function rows(rounds: readonly Round[], half: Flow, acks: number): BenchRow[] {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const rate = (name: Way | 'bare') => Math.round(of((round) => round[name].perSecond));
  const toBare = (name: Way) => of((round) => round[name].perSecond / round.bare.perSecond);
  const cpu = (name: Way | 'bare') => of((round) => round[name].cpuUs);
  const share = (name: Way | 'bare') => of((round) => round[name].received / round[name].sent);
  const budgeted = (what: string, name: Way): BenchRow => {
    const measured = toBare(name);
    return { what, measured, budget: '≥ 0.80', unit: 'ratio', ok: measured >= 0.8 };
  };
  const lost = half.sent - half.received;
  return [
    plain('bare node:dgram counter', rate('bare'), 'datagrams/s'),
    plain('ingest through a receive thread', rate('thread'), 'datagrams/s'),
    budgeted('ingest through a receive thread ÷ bare counter', 'thread'),
    budgeted('… with acks ÷ bare counter', 'threadAcking'),
    plain('ingest on the main thread ÷ bare counter', toBare('main'), 'ratio'),
    plain('… with acks ÷ bare counter', toBare('mainAcking'), 'ratio'),
    plain('CPU per datagram, bare', cpu('bare'), 'µs'),
    ...NAMES.map((name) => plain(`CPU per datagram, ${name}`, cpu(name), 'µs')),
    plain('share received, bare', share('bare'), 'ratio'),
    ...NAMES.map((name) => plain(`share received, ${name}`, share(name), 'ratio')),
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
