import { HeartbeatListener, type ObserverTable, readKernelDrops } from '@understudy/observer';
import { type DatagramSocket, silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import type { BenchRow } from './bench.ts';
import { openBenchSocket } from './bench-socket.ts';
import { benchTable, introduce } from './bench-table.ts';
import { HeartbeatSource, MARK_BYTES } from './heartbeat-source.ts';
import { Sender } from './sender-process.ts';

/**
 * Measures whether hearing waits for the leader's work. 10 000 agents beat once a second while the
 * main loop computes in chunks. A chunk is work that gives nothing else a turn. `duty` is the share
 * of time it takes; 1 means that every turn of the loop has its chunk.
 */
const AGENTS = 10_000;
const SECONDS = 8;
const CHUNKS_MS = [5, 20, 50, 200];
const DUTIES = [0.5, 0.9, 1];
const MARK_EVERY_MS = 20;
const clock = new SystemClock();

interface Load {
  readonly chunkMs: number;
  readonly duty: number;
}

interface Heard {
  readonly kernelDrops: number;
  readonly ringDrops: number;
  readonly falseSuspicions: number;
  readonly oldestMs: number;
  readonly recorded: number;
  readonly sent: number;
  readonly busyRatio: number;
  readonly abstainedTicks: number;
}

function computeFor(durationMs: number): void {
  const untilMs = performance.now() + durationMs;
  while (performance.now() < untilMs);
}

/** Keeps the loop busy until stopped. Returns how much of the time was work, in ms. */
function keepBusy({ chunkMs, duty }: Load): { stop: () => number } {
  const restMs = (chunkMs * (1 - duty)) / duty;
  let busyMs = 0;
  let running = true;
  const work = () => {
    if (!running) return;
    const fromMs = performance.now();
    computeFor(chunkMs);
    busyMs += performance.now() - fromMs;
    if (restMs < 0.5) setImmediate(work);
    else setTimeout(work, restMs);
  };
  const sinceMs = performance.now();
  work();
  return {
    stop: () => {
      running = false;
      return busyMs / (performance.now() - sinceMs);
    },
  };
}

/** Reads the marks, and passes everything else on to the listener as it came. */
function watchMarks(socket: DatagramSocket): { socket: DatagramSocket; oldestMs: () => number } {
  let oldestNs = 0n;
  const watching: DatagramSocket = {
    localPort: socket.localPort,
    send: (payload, to) => socket.send(payload, to),
    close: () => socket.close(),
    onMessage: (listener) =>
      socket.onMessage((payload, from, heardAtMs) => {
        if (payload.length !== MARK_BYTES) return listener(payload, from, heardAtMs);
        const sentNs = new DataView(payload.buffer, payload.byteOffset, MARK_BYTES).getBigUint64(0);
        const ageNs = process.hrtime.bigint() - sentNs;
        if (ageNs > oldestNs) oldestNs = ageNs;
      }),
  };
  return { socket: watching, oldestMs: () => Number(oldestNs) / 1e6 };
}

function beatTime(table: ObserverTable, listener: HeartbeatListener) {
  let falseSuspicions = 0;
  let abstainedTicks = 0;
  let timer = setTimeout(tick, table.settings.tickMs);
  function tick(): void {
    timer = setTimeout(tick, table.settings.tickMs);
    if (listener.tick().abstention !== null) abstainedTicks++;
    for (const { verdict } of table.takeChanges()) if (verdict === 'suspect' || verdict === 'dead') falseSuspicions++;
  }
  return {
    /** Counts from now on, once the stalls of the preparations are over. */
    begin: async () => {
      while (table.abstention !== null) await clock.sleep(50);
      falseSuspicions = 0;
      abstainedTicks = 0;
    },
    stop: () => {
      clearTimeout(timer);
      return { falseSuspicions, abstainedTicks };
    },
  };
}

async function hearUnder(load: Load, sender: Sender, receiveThreads: number): Promise<Heard> {
  const table = benchTable(AGENTS, clock.monotonicMs());
  const challenges = Array.from({ length: AGENTS }, (_, i) =>
    introduce(table, new HeartbeatSource(i), clock.monotonicMs()),
  );
  await sender.do({ kind: 'agents', challenges });
  await sender.do({ kind: 'prepare', count: AGENTS * SECONDS });
  const hearing = await openBenchSocket(receiveThreads);
  const { socket, oldestMs } = watchMarks(hearing.socket);
  const readDrops = () => readKernelDrops('127.0.0.1', socket.localPort);
  const listener = new HeartbeatListener({ ...hearing, socket, table, clock, log: silentLog, readDrops });
  listener.start();
  listener.tick();
  const ticking = beatTime(table, listener);
  await ticking.begin();
  const busy = keepBusy(load);
  const { sent } = await sender.do({
    kind: 'send',
    port: socket.localPort,
    perSecond: AGENTS,
    markEveryMs: MARK_EVERY_MS,
  });
  const busyRatio = busy.stop();
  const kernelDrops = (await readDrops()) ?? Number.NaN;
  await clock.sleep(100);
  const counted = ticking.stop();
  const ringDrops = listener.stats().ringDropsCount;
  await listener.stop();
  return { ...counted, kernelDrops, ringDrops, oldestMs: oldestMs(), recorded: table.counts.recorded, sent, busyRatio };
}

/** Ways to receive → `udp.receiveThreads`. */
const MODES = { 'main thread': 0, 'receive thread': 1 } as const;

function tell(mode: string, load: Load, heard: Heard): void {
  const { kernelDrops, ringDrops, falseSuspicions, oldestMs, recorded, sent, busyRatio, abstainedTicks } = heard;
  console.error(
    `  ${mode}, ${load.chunkMs} ms chunks, wanted ${load.duty * 100} % (was ${(busyRatio * 100).toFixed(0)} %): heard ${recorded}/${sent}, ` +
      `lost in kernel ${kernelDrops}, in ring ${ringDrops}, suspicions ${falseSuspicions}, abstained ${abstainedTicks} ticks, oldest ${oldestMs.toFixed(0)} ms`,
  );
}

const LOADS: readonly Load[] = DUTIES.flatMap((duty) => CHUNKS_MS.map((chunkMs) => ({ chunkMs, duty })));

/**
 * Runs every load in turn. The line of each goes to stderr; the worst of each way to receive is the
 * figure.
 */
export async function busyLoop(): Promise<readonly BenchRow[]> {
  const sender = new Sender();
  const rows: BenchRow[] = [];
  try {
    for (const [mode, receiveThreads] of Object.entries(MODES)) {
      const all: Heard[] = [];
      for (const load of LOADS) {
        const heard = await hearUnder(load, sender, receiveThreads);
        tell(mode, load, heard);
        all.push(heard);
      }
      rows.push(...worst(mode, all, receiveThreads > 0));
    }
    return rows;
  } finally {
    sender.stop();
  }
}

const none = (what: string, measured: number, unit: string, isBudgeted: boolean): BenchRow => ({
  what,
  measured,
  budget: isBudgeted ? '= 0' : null,
  unit,
  ok: isBudgeted ? measured === 0 : null,
});

function worst(mode: string, all: readonly Heard[], isBudgeted: boolean): BenchRow[] {
  const sum = (pick: (heard: Heard) => number) => all.reduce((total, heard) => total + pick(heard), 0);
  const drops = sum((heard) => heard.kernelDrops + heard.ringDrops);
  const abstained = sum((heard) => heard.abstainedTicks);
  const suspicions = sum((heard) => heard.falseSuspicions);
  const what = (text: string) => `busy loop, ${mode}: ${text}`;
  return [
    none(what('datagrams lost'), drops, 'datagrams', isBudgeted),
    none(what('false suspicions'), suspicions, 'members', isBudgeted),
    none(what('ticks without an opinion'), abstained, 'ticks', isBudgeted),
    {
      what: what('oldest datagram'),
      measured: Math.max(...all.map((heard) => heard.oldestMs)),
      budget: null,
      unit: 'ms',
      ok: null,
    },
  ];
}
