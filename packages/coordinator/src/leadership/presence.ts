import {
  type Clock,
  type CoordinatorRecord,
  hasCode,
  isOperationError,
  type Keyspace,
  type Log,
  type Problem,
  problemOf,
  type Revision,
  type Unwritten,
} from '@understudy/shared';
import type { ClusterView } from '../view/cluster-view.ts';
import { RecurringFailure } from './recurring-failure.ts';
import type { RecordWriter } from './record-writer.ts';
import type { Session } from './session.ts';

/** Between attempts to write our own presence; also how often it is looked at whether it still is ours. */
const RECHECK_MS = 5_000;

/**
 * `coordinators/<id>` under our own lease: shows operators and the others that we are here. Also notices a second process with our id, which
 * would make one observer count as two people's word, or two as one.
 */
export class Presence {
  readonly #record: Unwritten<CoordinatorRecord>;
  readonly #key: string;
  readonly #session: Session;
  readonly #writer: RecordWriter;
  readonly #view: ClusterView;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #writesRefused: () => boolean;
  readonly #failure: RecurringFailure;
  readonly #closing = new AbortController();
  #publishedUnder: string | null = null;
  /** Revision of our own last writing: what was there before is our predecessor's, who had our id by right. */
  #publishedAt: Revision = 0;
  #duplicate: Problem | null = null;
  #running: Promise<void> | null = null;

  constructor(options: {
    readonly record: Unwritten<CoordinatorRecord>;
    readonly keys: Keyspace;
    readonly session: Session;
    readonly writer: RecordWriter;
    readonly view: ClusterView;
    /** etcd refused a write of ours, and took none since: ours is written again until it does, which proves that it does. */
    readonly writesRefused?: () => boolean;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#record = options.record;
    this.#key = options.keys.coordinator(options.record.coordinatorId);
    this.#session = options.session;
    this.#writer = options.writer;
    this.#view = options.view;
    this.#writesRefused = options.writesRefused ?? (() => false);
    this.#clock = options.clock;
    this.#log = options.log;
    this.#failure = new RecurringFailure({ ...options, event: 'presence.publish_failed' });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Another process that calls itself by our id; null while there is none. */
  get duplicate(): Problem | null {
    return this.#duplicate;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('presence closed'));
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const woken = new AbortController();
      const unsubscribe = this.#session.onChange(() => woken.abort());
      await this.#publishIfNew();
      this.#lookForDuplicate();
      const either = AbortSignal.any([woken.signal, this.#closing.signal]);
      if (!woken.signal.aborted) await this.#clock.sleep(RECHECK_MS, either).catch(() => undefined);
      unsubscribe();
    }
  }

  async #publishIfNew(): Promise<void> {
    const leaseId = this.#session.leaseId();
    if (leaseId === null || (leaseId === this.#publishedUnder && !this.#writesRefused())) return;
    try {
      this.#publishedAt = await this.#writer.publish({ key: this.#key, record: this.#record, leaseId });
      this.#publishedUnder = leaseId;
      this.#failure.worked();
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (hasCode(error, 'STORE_REJECTED')) this.#session.reportGone(leaseId);
      this.#failure.failed(error);
    }
  }

  #lookForDuplicate(): void {
    const { coordinatorId, startedAtWallMs, udpEndpoint } = this.#record;
    const stored = this.#view.mirror.coordinators.get(coordinatorId);
    const seen = stored?.record;
    const isOther =
      this.#publishedUnder !== null &&
      seen !== undefined &&
      stored !== undefined &&
      stored.modRevision > this.#publishedAt &&
      (seen.startedAtWallMs !== startedAtWallMs || seen.udpEndpoint !== udpEndpoint);
    if (!isOther) {
      this.#duplicate = null;
      // Removed by hand (or by a namesake that went): put again on the next round.
      if (seen === undefined && this.#view.isFresh()) this.#publishedUnder = null;
      return;
    }
    const text = `another process runs as coordinator "${coordinatorId}" (${seen.udpEndpoint})`;
    if (!this.#duplicate) this.#log.error('presence.duplicate', { coordinatorId, other: seen.udpEndpoint });
    this.#duplicate = problemOf('DUPLICATE_COORDINATOR_ID', text);
  }
}
