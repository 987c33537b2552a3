import { type Clock, keyspace, LeaderTerm, type MonotonicMs, monotonicMs } from '@understudy/shared';
import {
  PausableClock,
  RecordingLog,
  SeededRandom,
  SimClock,
  SimKv,
  type SimKvClient,
  type SimKvOptions,
} from '@understudy/shared/testing';
import { Leadership, type LeadershipOptions } from './leadership.ts';
import type { LeaseDeps } from '../store/lease-keeper.ts';
import { LevelGate } from '../store/level-gate.ts';
import type { LeaseTiming } from '../store/lease-timing.ts';

export const TIMING: LeaseTiming = { ttlMs: 10_000, keepaliveMs: 2000, marginMs: 1500, callTimeoutMs: 1500 };
export const KEYS = keyspace();

/** One coordinator process: own clock, own connection. */
export interface RigProcess {
  readonly id: string;
  readonly clock: PausableClock;
  readonly store: SimKvClient;
  readonly log: RecordingLog;
  readonly deps: LeaseDeps;
}

interface Belief {
  readonly id: string;
  readonly fromMs: MonotonicMs;
  untilMs: MonotonicMs | null;
}

/**
 * Several coordinators over one simulated etcd. A witness notes which of them believed to lead, and
 * when.
 */
export class LeadershipRig {
  readonly clock = new SimClock();
  readonly kv: SimKv;
  readonly beliefs: Belief[] = [];
  readonly #seed: number;
  #count = 0;

  constructor(options: Omit<SimKvOptions, 'clock'> & { readonly seed?: number } = {}) {
    this.#seed = options.seed ?? 1;
    this.kv = new SimKv({ ...options, clock: this.clock });
  }

  process(id: string, latencyMs = 1): RigProcess {
    const clock = new PausableClock(this.clock);
    const store = this.kv.client(id, { clock, latencyMs });
    const log = new RecordingLog();
    this.#count += 1;
    const random = new SeededRandom(this.#seed * 1000 + this.#count);
    return { id, clock, store, log, deps: { store, clock, random, log } };
  }

  leadership(process: RigProcess, overrides: Partial<LeadershipOptions> = {}): Leadership {
    const { id, deps } = process;
    const self = { coordinatorId: id, az: 'az-a', httpUrl: `http://${id}` };
    const levelGate = new LevelGate({ key: KEYS.level, log: process.log });
    const leadership = new Leadership({ ...deps, keys: KEYS, self, timing: TIMING, levelGate, ...overrides });
    this.#witness(id, process.clock, leadership);
    leadership.start();
    return leadership;
  }

  /** The leader, when exactly one of them believes to lead. */
  leaderOf(all: readonly Leadership[]): Leadership | null {
    const leaders = all.filter((each) => each.current() !== null);
    if (leaders.length > 1) throw new Error(`${leaders.length} leaders at ${this.clock.monotonicMs()} ms`);
    return leaders[0] ?? null;
  }

  /** Beliefs of different coordinators that overlap in time. Must be empty. */
  overlaps(): string[] {
    const found: string[] = [];
    for (const [index, a] of this.beliefs.entries())
      for (const b of this.beliefs.slice(index + 1)) {
        const aUntilMs = a.untilMs ?? Number.POSITIVE_INFINITY;
        const bUntilMs = b.untilMs ?? Number.POSITIVE_INFINITY;
        if (a.id !== b.id && a.fromMs < bUntilMs && b.fromMs < aUntilMs)
          found.push(`${a.id} ${a.fromMs}..${a.untilMs} and ${b.id} ${b.fromMs}..${b.untilMs}`);
      }
    return found;
  }

  /**
   * A belief ends when the process would have said no, which may be before it could notice by
   * itself (a pause).
   */
  #witness(id: string, clock: Clock, leadership: Leadership): void {
    leadership.onChange(() => {
      const term = leadership.current();
      const open = this.beliefs.some((belief) => belief.id === id && belief.untilMs === null);
      if (!term || open) return;
      const belief: Belief = { id, fromMs: clock.monotonicMs(), untilMs: null };
      this.beliefs.push(belief);
      const end = () => {
        const deadlineMs = term instanceof LeaderTerm ? term.validUntilMs : Number.POSITIVE_INFINITY;
        belief.untilMs = monotonicMs(Math.min(clock.monotonicMs(), deadlineMs));
      };
      term.signal.addEventListener('abort', end, { once: true });
    });
  }
}
