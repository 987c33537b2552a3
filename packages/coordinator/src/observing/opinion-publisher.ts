import {
  type Clock,
  errorText,
  type Keyspace,
  type KvStore,
  type KvWrite,
  type LeaseId,
  type Log,
  type MemberId,
  type OpinionRecord,
  OpinionRecordSchema,
  type Random,
  type Revision,
  serializeRecord,
} from '@understudy/shared';
import type { Opinion, ServiceOpinion } from '../core/observe/index.ts';

/** The coordinator's own etcd lease, under which everything it says about itself and others lives. */
export interface Session {
  /** `null` while there is none (etcd unreachable, lease lost). */
  leaseId(): LeaseId | null;
  /** Called when the lease changes. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void;
}

export interface OpinionPublisherOptions {
  readonly store: KvStore;
  readonly keys: Keyspace;
  readonly session: Session;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly observer: { readonly id: string; readonly az: string };
}

/** etcd's default `--max-txn-ops` is 128, counted separately for compares, writes and reads. */
const OPS_PER_TXN = 100;
/** Bound on the work of one flush; the rest is taken by the next one. */
const TXNS_PER_FLUSH = 20;

interface Published {
  /** `null`: take the key away (no longer watched, or no activated instance). */
  desired: Opinion | null;
  dirty: boolean;
  /** The key's modRevision as last seen; 0 = absent. */
  revision: Revision;
  /** Grows with every offer, so that a flush only cleans what it wrote. */
  version: number;
}

/**
 * Keeps `opinions/<member>/<observer>` equal to what the observer thinks: on change only, in batches, under the session's lease; all of it anew
 * under a new lease. A write that failed stays due. Every key is compared with its last seen revision, because a transaction whose reply was
 * lost may land late, and a stale `dead` must not cover a newer `alive`.
 */
export class OpinionPublisher {
  readonly #options: OpinionPublisherOptions;
  /** At most one per watched member, plus those being taken away. */
  readonly #published = new Map<MemberId, Published>();
  readonly #unsubscribe: () => void;
  #leaseId: LeaseId | null;
  #flushing: Promise<void> | null = null;
  #failedInARow = 0;

  constructor(options: OpinionPublisherOptions) {
    this.#options = options;
    this.#leaseId = options.session.leaseId();
    this.#unsubscribe = options.session.onChange(() => this.#onLease());
  }

  #onLease(): void {
    const leaseId = this.#options.session.leaseId();
    if (leaseId === this.#leaseId) return;
    this.#leaseId = leaseId;
    for (const published of this.#published.values()) {
      published.dirty = true;
      published.version++;
    }
  }

  /** What `ObserverTable.takeChanges()` gave. Synchronous: only remembered. */
  offer(opinions: readonly Opinion[]): void {
    for (const opinion of opinions) this.#want(opinion.member, opinion.instanceId === null ? null : opinion);
  }

  /** These members are no longer watched: their opinions are deleted. */
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
    return this.#failedInARow;
  }

  /** Writes what is due. Call every tick and do not wait for it; a second call while one runs joins it. Never rejects. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flushDue().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flushDue(): Promise<void> {
    const leaseId = this.#leaseId;
    if (leaseId === null) return;
    try {
      for (let txn = 0; txn < TXNS_PER_FLUSH && this.#leaseId === leaseId; txn++) {
        const members = this.#due(OPS_PER_TXN);
        if (members.length === 0 || !(await this.#write(members, leaseId))) break;
      }
      this.#failedInARow = 0;
    } catch (error) {
      this.#failedInARow++;
      const fields = { error: errorText(error), failedInARow: this.#failedInARow };
      this.#options.log.warn('opinions.publish.failed', fields);
    }
  }

  #due(limit: number): MemberId[] {
    const due: MemberId[] = [];
    for (const [member, published] of this.#published) {
      if (due.length === limit) break;
      if (published.dirty) due.push(member);
    }
    return due;
  }

  /** False when a key was not as expected: its real revision is known now, and the next flush goes on from there. */
  async #write(members: readonly MemberId[], leaseId: LeaseId): Promise<boolean> {
    const { keys, observer, store } = this.#options;
    const rows = members.map((member) => {
      const published = this.#published.get(member) as Published;
      return { member, published, version: published.version, key: keys.opinion(member, observer.id) };
    });
    const { succeeded, revision, elseEntries } = await store.txn({
      compare: rows.map(({ key, published }) => ({ key, modRevision: published.revision })),
      writes: rows.map(({ key, published }) => this.#writeOf(key, published, leaseId)),
      elseGet: rows.map(({ key }) => key),
    });
    rows.forEach((row, i) => {
      if (succeeded) this.#written(row, revision);
      else row.published.revision = elseEntries[i]?.modRevision ?? 0;
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
      // Changed while the write was under way: what we wrote was the older opinion.
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

  /** Stops listening to the session. The keys go with the lease. */
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
