import {
  type Clock,
  isOperationError,
  type Keyspace,
  type KvStore,
  type KvWrite,
  type LeaseId,
  type Log,
  type MemberId,
  type MonotonicMs,
  type OpinionRecord,
  OpinionRecordSchema,
  type Random,
  RecurringFailure,
  type Revision,
  serializeRecord,
} from '@understudy/shared';
import type { Opinion, ServiceOpinion } from '@understudy/observer';
import type { Presence, Standing } from './presence.ts';

/** `coordinators/<id>`, as far as it is ours (see `Presence`). */
export type OwnPresence = Pick<Presence, 'standing' | 'onChange' | 'reportLost' | 'withdraw'>;

export interface OpinionPublisherOptions {
  readonly store: KvStore;
  readonly keys: Keyspace;
  readonly presence: OwnPresence;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: { readonly id: string; readonly az: string };
}

/** etcd's default `--max-txn-ops` is 128, counted separately for compares, writes and reads. */
const OPS_PER_TXN = 100;
/** When etcd has refused our opinions for this long, we withdraw those that stand. */
const ABSTAIN_AFTER_MS = 5_000;
/** Bound on the work of one flush. The next flush takes the rest. */
const TXNS_PER_FLUSH = 20;

interface Published {
  /** `null`: the key is to be taken away (no longer watched, or no activated instance). */
  desired: Opinion | null;
  dirty: boolean;
  /** The key's modRevision as last seen; 0 = absent. */
  revision: Revision;
  /** Grows with every offer, so that a flush only cleans what it wrote. */
  version: number;
}

/**
 * Keeps `opinions/<member>/<observer>` equal to what the observer thinks. It writes on change only,
 * in batches, under the lease of our presence, and writes all of it anew under a new lease. A write
 * that failed stays due. Every key is compared with its last seen revision, because a transaction
 * whose reply was lost may land late, and a stale `dead` must not cover a newer `alive`.
 *
 * **S** (S23): it writes only in transactions that compare our presence. A process that does not
 * have the id has no word under it.
 */
export class OpinionPublisher {
  readonly #options: OpinionPublisherOptions;
  /** At most one entry per watched member, and those being taken away. */
  readonly #published = new Map<MemberId, Published>();
  readonly #unsubscribe: () => void;
  #standing: Standing | null;
  #flushing: Promise<void> | null = null;
  readonly #failure: RecurringFailure;
  /** Since when our opinions cannot be published, for a reason that repeating does not cure. */
  #refusedSinceMs: MonotonicMs | null = null;

  constructor(options: OpinionPublisherOptions) {
    this.#options = options;
    this.#standing = options.presence.standing();
    this.#failure = new RecurringFailure({ ...options, event: 'opinions.publish.failed' });
    this.#unsubscribe = options.presence.onChange(() => this.#onStanding());
  }

  #onStanding(): void {
    const before = this.#standing;
    this.#standing = this.#options.presence.standing();
    // The presence was written again under the same lease, so what we said stands.
    if (this.#standing?.leaseId === before?.leaseId) return;
    for (const published of this.#published.values()) {
      published.dirty = true;
      published.version++;
    }
  }

  /** Takes the changes of `ObserverTable.takeChanges()`. Synchronous: it only remembers them. */
  offer(opinions: readonly Opinion[]): void {
    for (const opinion of opinions) this.#want(opinion.member, opinion.instanceId === null ? null : opinion);
  }

  /** Deletes the opinions on these members, which are no longer watched. */
  forget(members: readonly MemberId[]): void {
    for (const member of members) if (this.#published.has(member)) this.#want(member, null);
  }

  #want(member: MemberId, desired: Opinion | null): void {
    const published = this.#published.get(member) ?? { desired, dirty: true, revision: 0, version: 0 };
    published.desired = desired;
    published.dirty = true;
    published.version++;
    this.#published.set(member, published);
  }

  get pendingCount(): number {
    let count = 0;
    for (const published of this.#published.values()) if (published.dirty) count++;
    return count;
  }

  /** Flushes that failed since the last that worked. */
  get failedInARow(): number {
    return this.#failure.count;
  }

  /**
   * Writes what is due. Call it every tick and do not wait for it. A second call while one runs
   * joins it. Never rejects.
   */
  flush(): Promise<void> {
    this.#flushing ??= this.#flushDue().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flushDue(): Promise<void> {
    const standing = this.#standing;
    if (standing === null) return;
    try {
      for (let txn = 0; txn < TXNS_PER_FLUSH && this.#standing === standing; txn++) {
        const members = this.#due(OPS_PER_TXN);
        if (members.length === 0 || !(await this.#write(members, standing))) break;
      }
      this.#failure.worked();
      this.#refusedSinceMs = null;
    } catch (error) {
      this.#failure.failed(error);
      if (isRefusal(error)) this.#refused(standing);
    }
  }

  /**
   * **S** Opinions that cannot be corrected must not stand: they would be a veto of a machine that
   * has died since, or an accusation of one that has come back. Giving up their lease makes us
   * abstain, in everybody's eyes, until they can be written again.
   */
  #refused(standing: Standing): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#refusedSinceMs ??= nowMs;
    if (nowMs - this.#refusedSinceMs < ABSTAIN_AFTER_MS) return;
    this.#refusedSinceMs = null;
    this.#options.log.warn('opinions.withdrawn', { pending: this.pendingCount });
    this.#options.presence.withdraw(standing);
  }

  #due(limit: number): MemberId[] {
    const due: MemberId[] = [];
    for (const [member, published] of this.#published) {
      if (due.length === limit) break;
      if (published.dirty) due.push(member);
    }
    return due;
  }

  /**
   * False when a key was not as expected. Its real revision is known then, and the next flush goes
   * on from there.
   */
  async #write(members: readonly MemberId[], standing: Standing): Promise<boolean> {
    const { keys, observer, store, presence } = this.#options;
    const rows = members.map((member) => {
      const published = this.#published.get(member) as Published;
      return { member, published, version: published.version, key: keys.opinion(member, observer.id) };
    });
    const { succeeded, revision, elseEntries } = await store.txn({
      compare: [standing.compare, ...rows.map(({ key, published }) => ({ key, modRevision: published.revision }))],
      writes: rows.map(({ key, published }) => this.#writeOf(key, published, standing.leaseId)),
      elseGet: [standing.compare.key, ...rows.map(({ key }) => key)],
    });
    const [ours = null, ...others] = elseEntries;
    if (!succeeded && ours?.modRevision !== standing.compare.modRevision) presence.reportLost(standing);
    rows.forEach((row, i) => {
      if (succeeded) this.#written(row, revision);
      else row.published.revision = others[i]?.modRevision ?? 0;
    });
    return succeeded;
  }

  #writeOf(key: string, published: Published, leaseId: LeaseId): KvWrite {
    if (!published.desired) return { kind: 'delete', key };
    return { kind: 'put', key, value: serializeRecord(this.#record(published.desired)), leaseId };
  }

  #written(row: { member: MemberId; published: Published; version: number }, revision: Revision): void {
    const { member, published, version } = row;
    published.revision = published.desired === null ? 0 : revision;
    if (published.version !== version) {
      // The opinion changed while the write was under way: what we wrote is the older one.
      published.revision = revision;
      return;
    }
    published.dirty = false;
    if (published.desired === null) this.#published.delete(member);
  }

  #record(opinion: Opinion): OpinionRecord {
    const { clock, observer, random } = this.#options;
    const wallMs = clock.wallMs();
    const monotonicMs = clock.monotonicMs();
    const wallOf = (momentMs: number) => Math.round(wallMs - (monotonicMs - momentMs));
    return OpinionRecordSchema.parse({
      schemaVersion: 1,
      writeId: random.hex(8),
      writtenBy: observer.id,
      writtenAtWallMs: Math.round(wallMs),
      member: opinion.member,
      instanceId: opinion.instanceId,
      observer: observer.id,
      observerAz: observer.az,
      verdict: opinion.verdict,
      reason: opinion.reason,
      sinceWallMs: wallOf(opinion.sinceMs),
      lastHeardWallMs: opinion.lastHeardMs === null ? null : wallOf(opinion.lastHeardMs),
      ...(opinion.service === null ? {} : { service: serviceRecord(opinion.service, wallOf) }),
    });
  }

  /** Stops listening. The keys go with the lease. */
  stop(): void {
    this.#unsubscribe();
  }
}

function serviceRecord(
  { sinceMs, ...said }: ServiceOpinion,
  wallOf: (momentMs: number) => number,
): NonNullable<OpinionRecord['service']> {
  return { ...said, sinceWallMs: wallOf(sinceMs) };
}

const isRefusal = (error: unknown): boolean =>
  isOperationError(error) && ['STORE_NO_SPACE', 'STORE_CORRUPT', 'STORE_DENIED', 'STORE_REJECTED'].includes(error.code);
