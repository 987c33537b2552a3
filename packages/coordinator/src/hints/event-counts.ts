import type { MonotonicMs } from '@understudy/shared';

/** Why no look followed a message. */
export type Dropped = 'unreadable' | 'unknown' | 'nobodys' | 'refused' | 'no-look';

const KEYS_MAX = 10_000;
const KEPT_MS = 3_600_000;

/** What came, for metrics; counted since the process began. */
export class EventCounts {
  readonly received = new Map<string, number>();
  readonly dropped = new Map<Dropped, number>();
  /** Copies of an event that came within the hour. They are looked after as any other. */
  repeated = 0;
  looks = 0;
  failedLooks = 0;
  /** How long those looks took, summed over instances. */
  lookMs = 0;
  /** How long the newest message was in the queue. Null: none has come. */
  ageMs: number | null = null;
  readonly #keys = new Map<string, MonotonicMs>();

  came(type: string, key: string, nowMs: MonotonicMs): void {
    this.received.set(type, (this.received.get(type) ?? 0) + 1);
    const before = this.#keys.get(key);
    if (before !== undefined && nowMs - before < KEPT_MS) this.repeated += 1;
    this.#keys.delete(key);
    this.#keys.set(key, nowMs);
    const oldest = this.#keys.keys().next().value;
    if (this.#keys.size > KEYS_MAX && oldest !== undefined) this.#keys.delete(oldest);
  }

  drop(why: Dropped): void {
    this.dropped.set(why, (this.dropped.get(why) ?? 0) + 1);
  }
}
