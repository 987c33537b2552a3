import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import { HeartbeatBatch, MIDSTATE_WORDS, midstateTagMatches, writeMidstate } from '@understudy/observer/testing';
import { monotonicMs } from '@understudy/shared';
import { liveBytes } from '../live-bytes.ts';
import { type BenchRow, median } from './bench.ts';
import { benchTable, hear } from './bench-table.ts';
import { BENCH_KEY, HeartbeatSource } from './heartbeat-source.ts';

const SIZES = [10_000, 100_000];
/** Each agent has another address, as in reality, because what the table keeps of it counts. */
const addressOfAgent = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
const ROUNDS = 5;

const nsPerCall = (count: number, work: () => void): number => {
  const from = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - from) / count;
};

/** The ways to check one heartbeat's tag, each over the same datagrams in turn. */
export async function macCost(): Promise<readonly BenchRow[]> {
  const count = 40_000;
  const source = new HeartbeatSource(0);
  const frames = Array.from({ length: 1_000 }, () => source.next());
  const state = new Int32Array(MIDSTATE_WORDS);
  writeMidstate(BENCH_KEY, state, 0);
  const key = createSecretKey(BENCH_KEY);
  const table = benchTable(1, monotonicMs(0));
  let right = 0;
  const keyObject = () => {
    for (let i = 0; i < count; i++) {
      const frame = frames[i % 1_000] as Uint8Array;
      const tag = createHmac('sha256', key).update(frame.subarray(0, 144)).digest().subarray(0, 16);
      if (timingSafeEqual(tag, frame.subarray(144))) right++;
    }
  };
  const midstate = () => {
    for (let i = 0; i < count; i++) if (midstateTagMatches(state, 0, frames[i % 1_000] as Uint8Array)) right++;
  };
  // The batch takes replays only: it measures tag check, look-up and window, and records nothing.
  const batch = new HeartbeatBatch(table, ({ outcome }) => {
    if (outcome === 'stale' || outcome === 'replayed' || outcome === 'unconfirmed') right++;
  });
  const four = () => {
    const from = { address: '127.0.0.1', port: 9 };
    for (let i = 0; i < count; i++) batch.add(frames[i % 1_000] as Uint8Array, from, monotonicMs(0));
  };
  const figures = [keyObject, midstate, four].map((work) =>
    median(Array.from({ length: ROUNDS + 1 }, () => nsPerCall(count, work)).slice(1)),
  );
  if (right !== 3 * (ROUNDS + 1) * count) throw new Error(`${right} tags were right, want all`);
  const [node = 0, one = 0, lanes = 0] = figures;
  return [
    { what: 'tag check, createHmac + KeyObject', measured: node, budget: null, unit: 'ns', ok: null },
    { what: 'tag check, prepared state ÷ createHmac', measured: one / node, budget: null, unit: 'ratio', ok: null },
    {
      what: 'tag check, four at once, with look-up ÷ createHmac',
      measured: lanes / node,
      budget: null,
      unit: 'ratio',
      ok: null,
    },
  ];
}

/** The observer table alone, no sockets. */
export async function observerFootprint(): Promise<readonly BenchRow[]> {
  return SIZES.flatMap(footprintOf);
}

function footprintOf(agents: number): BenchRow[] {
  const before = liveBytes();
  const table = benchTable(agents, monotonicMs(0));
  for (let i = 0; i < agents; i++) hear(table, new HeartbeatSource(i), addressOfAgent(i), monotonicMs(0));
  table.takeChanges();
  const bytesPerAgent = (liveBytes() - before) / agents;
  table.tick(monotonicMs(1));
  const idleMs = Array.from({ length: 400 }, (_, i) => nsPerCall(1, () => table.tick(monotonicMs(2 + i))) / 1e6);
  const { verdict } = table.opinions()[agents - 1] ?? { verdict: 'none' };
  if (verdict !== 'alive') throw new Error(`want all alive, got ${verdict}`);
  const size = agents.toLocaleString('en-US').replaceAll(',', ' ');
  return [
    {
      what: `observer memory per agent, ${size} agents`,
      measured: bytesPerAgent,
      budget: agents === 100_000 ? '≤ 512' : null,
      unit: 'bytes',
      ok: agents === 100_000 ? bytesPerAgent <= 512 : null,
    },
    {
      what: `idle tick, ${size} agents, median`,
      measured: median(idleMs),
      budget: '≤ 1',
      unit: 'ms',
      ok: median(idleMs) <= 1,
    },
  ];
}
