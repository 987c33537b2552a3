import {
  type Clock,
  type CoordinatorRecord,
  CoordinatorRecordSchema,
  hasCode,
  isOperationError,
  type Keyspace,
  type KvCompare,
  type KvEntry,
  type LeaseId,
  type Log,
  parseRecord,
  type Problem,
  RecurringFailure,
  type Revision,
  type Unwritten,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import { type LevelGate, recordedLevelIn } from '../store/level-gate.ts';
import { Namesake } from './namesake.ts';
import type { RecordWriter } from '../store/record-writer.ts';
import type { Session } from '../store/session.ts';

/**
 * Time between attempts to write our own presence. A change in etcd or of our lease wakes us
 * sooner.
 */
const RECHECK_MS = 5_000;
/**
 * The key may change between a conflict and the next attempt. After this many attempts the next
 * round goes on.
 */
const ATTEMPTS_MAX = 3;

/** Says that `coordinators/<id>` is ours. Everything we say as an observer depends on it. */
export interface Standing {
  /** The lease under which the record lies, and everything we say. */
  readonly leaseId: LeaseId;
  /** Every transaction that writes in our id's name compares this. */
  readonly compare: Extract<KvCompare, { modRevision: Revision }>;
}

/**
 * `coordinators/<id>` under our own lease. It shows operators and the other coordinators that we
 * are here, and that the id is ours.
 *
 * **S** (S23): it is written only where no live record of another process lies, and never over one.
 * Two processes with one id would be one observer with two pairs of ears, and the deaf one could
 * cover what the other hears. The second process has no standing, so no opinions. It says so, and
 * takes the id when the lease of the first has ended.
 *
 * **S** (S24): nor is it written by a build that does not understand the agreed feature level.
 */
export class Presence {
  readonly #record: Unwritten<CoordinatorRecord>;
  readonly #key: string;
  readonly #session: Session;
  readonly #writer: RecordWriter;
  readonly #view: ClusterState;
  readonly #levelGate: LevelGate;
  readonly #clock: Clock;
  readonly #writesRefused: () => boolean;
  readonly #failure: RecurringFailure;
  readonly #namesake: Namesake;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #unsubscribe: (() => void)[] = [];
  #woken = new AbortController();
  #standing: Standing | null = null;
  /** Last seen revision of a record of ours, whatever lease it lies under. 0: there is none. */
  #revision: Revision = 0;
  #running: Promise<void> | null = null;

  constructor(options: {
    readonly record: Unwritten<CoordinatorRecord>;
    readonly keys: Keyspace;
    readonly session: Session;
    readonly writer: RecordWriter;
    readonly view: ClusterState;
    /** Whether our build may be present beside the others. */
    readonly levelGate: LevelGate;
    /** A process that died holds its id for at most this long, in ms. */
    readonly leaseTtlMs: number;
    /**
     * True when etcd refused a write of ours and has taken none since. The presence is then written
     * again until etcd takes it, which proves that etcd takes writes.
     */
    readonly writesRefused?: () => boolean;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#record = options.record;
    this.#key = options.keys.coordinator(options.record.coordinatorId);
    this.#session = options.session;
    this.#writer = options.writer;
    this.#view = options.view;
    this.#levelGate = options.levelGate;
    this.#writesRefused = options.writesRefused ?? (() => false);
    this.#clock = options.clock;
    this.#failure = new RecurringFailure({ ...options, event: 'presence.publish_failed' });
    this.#namesake = new Namesake({ ...options, key: this.#key, coordinatorId: options.record.coordinatorId });
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Null while the id is not ours, or not yet, or no longer. The answer may be out of date: only a
   * transaction that compares it is sure.
   */
  standing(): Standing | null {
    const standing = this.#standing;
    return standing !== null && standing.leaseId === this.#session.leaseId() ? standing : null;
  }

  /** Called when {@link standing} may have changed. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Called when a transaction that compared the standing found something else. The id is then
   * looked at again.
   */
  reportLost(standing: Standing): void {
    if (this.#standing === standing) this.#setStanding(null);
  }

  /**
   * Gives up the lease, and with it our presence and all we said. Both come back under the next
   * one.
   */
  withdraw({ leaseId }: Standing): void {
    this.#session.reportGone(leaseId);
  }

  /** Another process that has our id; null while there is none. */
  get duplicate(): Problem | null {
    return this.#namesake.problem();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('presence closed'));
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#unsubscribe.push(
      this.#session.onChange(() => {
        this.#woken.abort();
        this.#changed();
      }),
      this.#view.onChange((changed) => {
        if (changed.includes(this.#key)) this.#woken.abort();
      }),
      this.#levelGate.onChange(() => this.#woken.abort()),
    );
    while (!this.#closing.signal.aborted) {
      this.#woken = new AbortController();
      this.#compareWithView();
      this.#leaveIfApart();
      await this.#publishIfDue();
      this.#namesake.tell();
      const either = AbortSignal.any([this.#woken.signal, this.#closing.signal]);
      if (!either.aborted) await this.#clock.sleep(RECHECK_MS, either).catch(() => undefined);
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #setStanding(standing: Standing | null): void {
    this.#standing = standing;
    if (standing === null) this.#woken.abort();
    this.#changed();
  }

  /**
   * Notices a record that was removed by hand, or overwritten by a process that does not know this
   * rule.
   */
  #compareWithView(): void {
    const seenAt = this.#standing?.compare.modRevision;
    if (seenAt === undefined || this.#view.revision < seenAt) return;
    if (this.#view.revisionOf(this.#key) !== seenAt) this.#setStanding(null);
  }

  /**
   * **S** (S24): a level was agreed on that we do not understand. Our lease is given up, and with
   * it our presence and opinions: others wait for that before they use the level.
   */
  #leaveIfApart(): void {
    const standing = this.standing();
    if (standing === null || this.#levelGate.compare() !== null) return;
    this.#setStanding(null);
    this.withdraw(standing);
  }

  async #publishIfDue(): Promise<void> {
    const leaseId = this.#session.leaseId();
    if (leaseId === null || (this.standing() !== null && !this.#writesRefused())) return;
    try {
      await this.#publish(leaseId);
      this.#failure.worked();
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (hasCode(error, 'STORE_REJECTED')) this.#session.reportGone(leaseId);
      this.#failure.failed(error);
    }
  }

  /**
   * Writes the record where it is absent, ours, or without a lease (so of no living process). The
   * writer reads a lost reply back, and a write that lands late is ours too.
   */
  async #publish(leaseId: LeaseId): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const level = this.#levelGate.compare();
      if (level === null) return;
      const put = { key: this.#key, record: this.#record, leaseId, expect: this.#revision, also: [level] };
      const outcome = await this.#writer.write(put);
      if (outcome.kind === 'committed') {
        this.#revision = outcome.revision;
        this.#namesake.gone();
        this.#setStanding({ leaseId, compare: { key: this.#key, modRevision: outcome.revision } });
        return;
      }
      const [entry = null, agreed = null] = outcome.entries;
      this.#levelGate.note(recordedLevelIn(agreed));
      const other = entry !== null && entry.leaseId !== null && !this.#isOurs(entry) ? entry : null;
      if (other !== null) {
        this.#revision = 0;
        if (this.#standing !== null) this.#setStanding(null);
        this.#namesake.found(recordIn(other));
        return;
      }
      this.#revision = entry?.modRevision ?? 0;
    }
  }

  #isOurs(entry: KvEntry): boolean {
    return recordIn(entry)?.processId === this.#record.processId;
  }
}

/** Null: the record cannot be read, so it is another process's. */
function recordIn(entry: KvEntry): CoordinatorRecord | null {
  try {
    return parseRecord(CoordinatorRecordSchema, entry.key, entry.value);
  } catch {
    return null;
  }
}
