import {
  type Clock,
  type CoordinatorRecord,
  durationText,
  type Log,
  type MonotonicMs,
  type Problem,
  problemOf,
  RecurringFailure,
} from '@understudy/shared';

/** While all is well, etcd ends a lease at most this much later than it has to. */
const LEASE_ENDS_WITHIN_MS = 2_000;

/**
 * Another process that has our id, and what we say of it. For as long as a lease may outlive its
 * process it is most likely ourselves before a restart. Beyond that it is alive, and a person has
 * to part the two.
 */
export class Namesake {
  readonly #key: string;
  readonly #coordinatorId: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failure: RecurringFailure;
  readonly #endsWithinMs: number;
  /** The record is null when it cannot be read. */
  #other: { readonly record: CoordinatorRecord | null; readonly sinceMs: MonotonicMs } | null = null;

  constructor(options: {
    readonly key: string;
    readonly coordinatorId: string;
    readonly leaseTtlMs: number;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#key = options.key;
    this.#coordinatorId = options.coordinatorId;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#endsWithinMs = options.leaseTtlMs + LEASE_ENDS_WITHIN_MS;
    this.#failure = new RecurringFailure({ ...options, event: 'presence.duplicate', level: 'error' });
  }

  /** Called when its record has our key. `null`: the record there cannot be read. */
  found(record: CoordinatorRecord | null): void {
    const isKnown = this.#other !== null && this.#other.record?.processId === record?.processId;
    if (isKnown) return;
    this.#other = { record, sinceMs: this.#clock.monotonicMs() };
    this.#log.warn('presence.waiting', { key: this.#key, other: record?.udpEndpoint, atMostMs: this.#endsWithinMs });
  }

  /** Called when the key is ours. */
  gone(): void {
    if (this.#other === null) return;
    this.#log.info('presence.taken_over', { key: this.#key, after: this.#other.record?.udpEndpoint });
    this.#other = null;
    this.#failure.worked();
  }

  /** Says again what goes on. Call it now and then. */
  tell(): void {
    const problem = this.#lives() ? this.problem() : null;
    if (problem) this.#failure.failed(problem.text, { code: problem.code, remedy: problem.remedy });
  }

  problem(): Problem | null {
    if (this.#other === null) return null;
    const { record } = this.#other;
    const who = record
      ? `another process (heartbeats at ${record.udpEndpoint}, ${record.httpUrl})`
      : 'a record that cannot be read';
    const base = `${this.#key} is held by ${who}: what this process hears does not count`;
    if (this.#lives()) return problemOf('DUPLICATE_COORDINATOR_ID', base);
    const waits = `if that was coordinator "${this.#coordinatorId}" before a restart, its lease ends within ${durationText(this.#endsWithinMs)}`;
    return problemOf('DUPLICATE_COORDINATOR_ID', `${base}; ${waits}`);
  }

  /** True when another process keeps its lease alive. */
  #lives(): boolean {
    return this.#other !== null && this.#clock.monotonicMs() - this.#other.sinceMs > this.#endsWithinMs;
  }
}
