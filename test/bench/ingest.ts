import { HeartbeatListener, type ObserverTable, readKernelDrops, type TagScheme } from '@understudy/observer';
import { HMAC_TAGS, type ObserverSettings } from '@understudy/observer/testing';
import { silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { type BenchRow, median } from './bench.ts';
import { bareCounter } from './bare-counter.ts';
import { openBenchSocket } from './bench-socket.ts';
import { benchTable, introduce } from './bench-table.ts';
import { HeartbeatSource } from './heartbeat-source.ts';
import { Sender } from './sender-process.ts';

const AGENTS = 10_000;
const DATAGRAMS = 400_000;
const ROUNDS = 5;
const HALF_ROUNDS = 3;
const clock = new SystemClock();

interface Flow {
  readonly received: number;
  readonly sent: number;
  readonly perSecond: number;
  /** CPU time of this (the receiving) process. */
  readonly cpuUs: number;
}

/**
 * Sends the prepared datagrams and counts until nothing more comes. `received()` is asked at the
 * start and the end.
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

interface Lost {
  readonly kernel: number;
  readonly ring: number;
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
    /** Datagrams lost, by place: in the kernel's receive buffer, or in the ring between threads. */
    lost: async (): Promise<Lost> => ({
      kernel: (await readKernelDrops('127.0.0.1', hearing.socket.localPort)) ?? 0,
      ring: hearing.receiver?.lostCount ?? 0,
    }),
    stop: async () => {
      clearInterval(ticking);
      await listener.stop();
    },
  };
}

/**
 * Routine acks never fall due, because the counter they wait for ends at 255. So this is receiving
 * alone.
 */
const SILENT = { ackEvery: 256 };

/** Each way to receive, without and with acks. Each has a table of its own; all the same agents. */
const WAYS: Readonly<Record<Way, WayToReceive>> = {
  thread: { receiveThreads: 1, settings: SILENT },
  threadAcking: { receiveThreads: 1, settings: {} },
  // The tags are the same, but the table does not know it and checks them without the vector unit.
  threadOneByOne: { receiveThreads: 1, settings: {}, tags: HMAC_TAGS },
  main: { receiveThreads: 0, settings: SILENT },
  mainAcking: { receiveThreads: 0, settings: {} },
};
interface WayToReceive {
  readonly receiveThreads: number;
  readonly settings: Partial<ObserverSettings>;
  readonly tags?: TagScheme;
}
type Way = 'thread' | 'threadAcking' | 'threadOneByOne' | 'main' | 'mainAcking';
const NAMES = Object.keys(WAYS) as readonly Way[];
type Round = Readonly<Record<Way | 'bare', Flow>>;

async function observers() {
  const opened = [];
  for (const name of NAMES) {
    const { receiveThreads, settings, tags } = WAYS[name];
    const table = benchTable(AGENTS, clock.monotonicMs(), settings, [], tags);
    const challenges = Array.from({ length: AGENTS }, (_, i) =>
      introduce(table, new HeartbeatSource(i), clock.monotonicMs()),
    );
    opened.push({ name, challenges, ...(await observerUnderTest(table, receiveThreads)) });
  }
  return opened;
}

/** Figures at half the rate of the bare counter, over several rounds. */
interface Half extends Lost {
  readonly sent: number;
  readonly lost: number;
  /** Datagrams lost by the bare counter at the same rate. */
  readonly lostBare: number;
}

/**
 * Measures in turn, under the same sender: the bare counter, then the observer each way. Then the
 * default (thread, acks) and the bare counter at half the rate of the bare counter. Each ratio is
 * of neighbours in time; the median of the rounds counts.
 */
export async function heartbeatIngest(): Promise<readonly BenchRow[]> {
  const sender = new Sender();
  const bare = await bareCounter();
  const opened = await observers();
  const run = async (target: Target, count: number, perSecond: number | null) => {
    await sender.do({ kind: 'prepare', count });
    return flow(sender, target.port, target.received, perSecond);
  };
  try {
    await sender.do({ kind: 'agents', challenges: opened[0]?.challenges ?? [] });
    for (const target of [bare, ...opened]) await run(target, DATAGRAMS / 4, null);
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const flows: [string, Flow][] = [['bare', await run(bare, DATAGRAMS, null)]];
      for (const target of opened) flows.push([target.name, await run(target, DATAGRAMS, null)]);
      rounds.push(Object.fromEntries(flows) as Round);
    }
    const acking = opened.find(({ name }) => name === 'threadAcking');
    if (!acking) throw new Error('no acking observer');
    const half = await atHalf(median(rounds.map((round) => round.bare.perSecond)), bare, acking, run);
    return rows(rounds, half, acking.acks());
  } finally {
    sender.stop();
    bare.socket.close();
    for (const { stop } of opened) await stop();
  }
}

interface Target {
  readonly port: number;
  readonly received: () => number;
}

async function atHalf(
  bareRate: number,
  bare: Target,
  observer: Target & { readonly lost: () => Promise<Lost> },
  run: (target: Target, count: number, perSecond: number) => Promise<Flow>,
): Promise<Half> {
  const total = { sent: 0, lost: 0, lostBare: 0 };
  const before = await observer.lost();
  for (let round = 0; round < HALF_ROUNDS; round++) {
    const counted = await run(bare, Math.round(bareRate), bareRate / 2);
    const heard = await run(observer, Math.round(bareRate), bareRate / 2);
    total.lostBare += counted.sent - counted.received;
    total.sent += heard.sent;
    total.lost += heard.sent - heard.received;
  }
  const after = await observer.lost();
  return { ...total, kernel: after.kernel - before.kernel, ring: after.ring - before.ring };
}

const plain = (what: string, measured: number, unit: string): BenchRow => ({
  what,
  measured,
  budget: null,
  unit,
  ok: null,
});

function rows(rounds: readonly Round[], half: Half, acks: number): BenchRow[] {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick));
  const rate = (name: Way | 'bare') => Math.round(of((round) => round[name].perSecond));
  const toBare = (name: Way) => of((round) => round[name].perSecond / round.bare.perSecond);
  const cpu = (name: Way | 'bare') => of((round) => round[name].cpuUs);
  const cpuToBare = (name: Way) => of((round) => round[name].cpuUs / round.bare.cpuUs);
  const share = (name: Way | 'bare') => of((round) => round[name].received / round[name].sent);
  const [rateRatio, cpuRatio] = [toBare('threadAcking'), cpuToBare('threadAcking')];
  return [
    plain('bare node:dgram counter', rate('bare'), 'datagrams/s'),
    plain('ingest through a receive thread', rate('thread'), 'datagrams/s'),
    plain('ingest through a receive thread ÷ bare counter', toBare('thread'), 'ratio'),
    { what: '… with acks ÷ bare counter', measured: rateRatio, budget: '≥ 0.90', unit: 'ratio', ok: rateRatio >= 0.9 },
    plain('… with acks, tags one by one ÷ bare counter', toBare('threadOneByOne'), 'ratio'),
    plain('ingest on the main thread ÷ bare counter', toBare('main'), 'ratio'),
    plain('… with acks ÷ bare counter', toBare('mainAcking'), 'ratio'),
    plain('CPU per datagram, bare', cpu('bare'), 'µs'),
    ...NAMES.map((name) => plain(`CPU per datagram, ${name}`, cpu(name), 'µs')),
    {
      what: 'CPU per datagram, threadAcking ÷ bare',
      measured: cpuRatio,
      budget: '≤ 1.25',
      unit: 'ratio',
      ok: cpuRatio <= 1.25,
    },
    ...NAMES.filter((name) => name !== 'threadAcking').map((name) =>
      plain(`CPU per datagram, ${name} ÷ bare`, cpuToBare(name), 'ratio'),
    ),
    plain('share received, bare', share('bare'), 'ratio'),
    ...NAMES.map((name) => plain(`share received, ${name}`, share(name), 'ratio')),
    {
      what: `lost at half the bare rate, of ${half.sent}`,
      measured: half.lost,
      budget: '= 0',
      unit: 'datagrams',
      ok: half.lost === 0,
    },
    plain("… of them in the kernel's buffer", half.kernel, 'datagrams'),
    plain('… of them in the ring', half.ring, 'datagrams'),
    plain('lost at half the bare rate by the bare counter', half.lostBare, 'datagrams'),
    plain('acks sent in all', acks, 'acks'),
  ];
}
