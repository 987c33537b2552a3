import { backoffMs, laterBy, type MonotonicMs, type NoticeRecord } from '@understudy/shared';
import type { Stored } from '../store/cluster-records.ts';
import { type ConfiguredSink, type Delivery, wants } from './sink.ts';

/** After a failure: from a second to ten minutes. */
const BACKOFF = { baseMs: 1_000, capMs: 600_000 };

interface Tries {
  readonly count: number;
  readonly againAtMs: MonotonicMs;
  readonly error: string;
}

/** Since when a sink takes nothing, and when it is tried again. */
export interface Failing extends Tries {
  readonly sinceMs: MonotonicMs;
}

/**
 * What this process knows of the deliveries to one sink: nothing of it is in etcd but who has
 * had what. A new leader begins anew, and tries everything at once. Pure but for its own state; it
 * holds no more than there are notices.
 */
export class SinkState {
  readonly sink: ConfiguredSink;
  readonly #taken = new Set<string>();
  readonly #refused = new Map<string, Tries>();
  #failing: Failing | null = null;

  constructor(sink: ConfiguredSink) {
    this.sink = sink;
  }

  /** Null: it takes what it gets. */
  get failing(): Failing | null {
    return this.#failing;
  }

  /** Forgets notices that are no longer there. */
  keepOnly(outbox: ReadonlyMap<string, unknown>): void {
    for (const id of this.#taken) if (!outbox.has(id)) this.#taken.delete(id);
    for (const id of this.#refused.keys()) if (!outbox.has(id)) this.#refused.delete(id);
  }

  hasHad({ id, deliveredTo }: NoticeRecord): boolean {
    return this.#taken.has(id) || deliveredTo.includes(this.sink.name);
  }

  /** Why it does not take this one. Null: it was not tried here. */
  errorOf(id: string): string | null {
    return this.#refused.get(id)?.error ?? this.#failing?.error ?? null;
  }

  /** The oldest notice that may be sent now. Null: none. */
  next(outbox: ReadonlyMap<string, Stored<NoticeRecord>>, nowMs: MonotonicMs): NoticeRecord | null {
    if (this.#failing && this.#failing.againAtMs > nowMs) return null;
    const due = [...outbox.values()]
      .map(({ record }) => record)
      .filter((one) => wants(this.sink, one) && !this.hasHad(one))
      .filter(({ id }) => (this.#refused.get(id)?.againAtMs ?? 0) <= nowMs);
    return due.reduce<NoticeRecord | null>((oldest, one) => (oldest && oldest.id < one.id ? oldest : one), null);
  }

  /** `random` in [0, 1). */
  note(id: string, delivery: Delivery, nowMs: MonotonicMs, random: number): void {
    if (delivery.kind === 'taken') {
      this.#failing = null;
      this.#refused.delete(id);
      this.#taken.add(id);
      return;
    }
    const again = (count: number): Tries => ({
      ...{ count, error: delivery.text },
      againAtMs: laterBy(nowMs, backoffMs(count - 1, BACKOFF, random)),
    });
    if (delivery.isOfNotice) {
      // It answers, so the others may go on.
      this.#failing = null;
      this.#refused.set(id, again((this.#refused.get(id)?.count ?? 0) + 1));
    } else {
      this.#failing = { ...again((this.#failing?.count ?? 0) + 1), sinceMs: this.#failing?.sinceMs ?? nowMs };
    }
  }
}
