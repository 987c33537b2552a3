import {
  type BucketLimit,
  type Clock,
  type Deed,
  fullBucket,
  type GuardedPut,
  hasCode,
  isOperationError,
  type KeptDeed,
  type Keyspace,
  type Log,
  type MemberId,
  type MonotonicMs,
  OperationError,
  RecurringFailure,
  takeTokens,
  type Term,
  type TokenBucket,
} from '@understudy/shared';
import type { Deeds } from '../hints/deeds.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { waitingWith, WAITING_MEMBERS_MAX } from './kept-deeds.ts';

/** Lines about deeds: a burst of some, then one a second. */
const LINES: BucketLimit = { burst: 100, refillPerSecond: 1 };
const HISTORY_READ_EVERY_MS = 10_000;
/** Records in one transaction. */
const RECORDS_AT_ONCE = 20;
/** Our view of etcd may be a moment behind our own last write. */
const CONFLICTS_MAX = 5;

export interface DeedHearingOptions {
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly deeds: Pick<Deeds, 'note'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Pending {
  readonly member: MemberId;
  readonly told: KeptDeed;
}

/** What became of deeds that were to be written down, by the tickets that {@link note} gave. */
export interface Kept {
  /** They stand in etcd, or need not. */
  readonly settled: readonly string[];
  /** Nobody has them but the queue. */
  readonly failed: readonly string[];
}

/**
 * Who did something to instances that members have, or had. It is written to etcd before its
 * message is deleted, so that the history of a recovery has it, whoever leads when that ends. It
 * explains, and decides nothing: anybody who may write to the queue can make it up. So little of it
 * is kept, and nothing of it is asked about.
 */
export class DeedHearing {
  readonly #options: DeedHearingOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #failing: RecurringFailure;
  #conflicts = 0;
  #lines: TokenBucket | null = null;
  #open = new Set<string>();
  #had: { readonly atMs: number; readonly ids: ReadonlyMap<string, MemberId> } = {
    atMs: Number.NEGATIVE_INFINITY,
    ids: new Map(),
  };

  constructor(options: DeedHearingOptions) {
    this.#options = options;
    this.#failing = new RecurringFailure({ ...options, event: 'event.deed_not_kept', level: 'warn' });
  }

  /** A term begins: what the last one did not write comes again. */
  clear(): void {
    this.#pending.clear();
    this.#conflicts = 0;
  }

  /**
   * Takes a deed up. Returns a ticket for each instance that it is about and that a member has, or
   * had: they have to be settled before the message may go. `active`: whose instances are
   * activated.
   */
  note(
    deed: Deed,
    instanceIds: readonly string[],
    active: ReadonlyMap<string, { readonly member: MemberId }>,
    nowMs: MonotonicMs,
  ): readonly string[] {
    const { deeds, clock } = this.#options;
    const opened = this.#opened();
    return instanceIds.flatMap((instanceId) => {
      const member =
        active.get(instanceId)?.member ?? opened.get(instanceId) ?? this.#hadBefore(nowMs, opened).get(instanceId);
      if (member === undefined) return [];
      if (deeds.note(instanceId, deed)) this.#say(instanceId, deed, nowMs);
      const ticket = `deed ${deed.eventId} of ${instanceId}`;
      this.#pending.set(ticket, { member, told: { ...deed, instanceId, keptAtWallMs: clock.wallMs() } });
      return [ticket];
    });
  }

  /** One transaction, with what waits of some members. It does not throw for what etcd did. */
  async write(term: Term): Promise<Kept> {
    const { view, keys, clock } = this.#options;
    if (this.#pending.size === 0 || !view.isFresh()) return { settled: [], failed: [] };
    const { records } = view;
    const settled: string[] = [];
    const written: string[] = [];
    const puts: GuardedPut[] = [];
    let room = WAITING_MEMBERS_MAX - records.deeds.size;
    for (const [member, entries] of Map.groupBy(this.#pending, ([, one]) => one.member)) {
      const tickets = entries.map(([ticket]) => ticket);
      const told = entries.map(([, one]) => one.told);
      const stored = records.deeds.get(member);
      const kept = stored || room > 0 ? waitingWith(records, member, told, clock.wallMs()) : null;
      if (kept === null) settled.push(...tickets);
      else if (puts.length < RECORDS_AT_ONCE) {
        if (!stored) room -= 1;
        written.push(...tickets);
        puts.push({ key: keys.deedsOf(member), record: { member, kept }, expect: stored?.modRevision ?? 0 });
      }
    }
    return this.#done(settled, written, await this.#commit(term, puts));
  }

  async #commit(term: Term, [first, ...more]: readonly GuardedPut[]): Promise<'committed' | 'again' | 'failed'> {
    if (!first) return 'committed';
    try {
      const { kind } = await term.commit({ puts: [first, ...more] });
      this.#conflicts = kind === 'conflict' ? this.#conflicts + 1 : 0;
      if (kind === 'conflict' && this.#conflicts < CONFLICTS_MAX) return 'again';
      if (kind === 'conflict') throw new OperationError('RECORD_UNREADABLE', `${first.key} is not as it is seen`);
      this.#failing.worked();
      return 'committed';
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (!hasCode(error, 'LEASE_LOST')) this.#failing.failed(error);
      return 'failed';
    }
  }

  #done(settled: readonly string[], written: readonly string[], outcome: 'committed' | 'again' | 'failed'): Kept {
    const stand = outcome === 'committed' ? [...settled, ...written] : settled;
    const failed = outcome === 'failed' ? written : [];
    for (const ticket of [...stand, ...failed]) this.#pending.delete(ticket);
    return { settled: stand, failed };
  }

  #say(instanceId: string, deed: Deed, nowMs: MonotonicMs): void {
    const room = takeTokens(this.#lines ?? fullBucket(LINES, nowMs), LINES, nowMs);
    if (room === null) return;
    this.#lines = room;
    this.#options.log.info('event.deed', { instanceId, ...deed });
  }

  /** Instances that recoveries under way are about. They may be activated no more. */
  #opened(): ReadonlyMap<string, MemberId> {
    const { intents } = this.#options.view.records;
    return new Map([...intents.values()].map(({ record }) => [record.oldInstanceId, record.member]));
  }

  /**
   * Instances that were replaced. Found anew now and then only, for there may be many, and when a
   * recovery has ended.
   */
  #hadBefore(nowMs: MonotonicMs, opened: ReadonlyMap<string, MemberId>): ReadonlyMap<string, MemberId> {
    const { history } = this.#options.view.records;
    const hasEnded = [...this.#open].some((id) => !opened.has(id));
    this.#open = new Set(opened.keys());
    if (hasEnded || nowMs - this.#had.atMs >= HISTORY_READ_EVERY_MS) {
      const ids = new Map<string, MemberId>();
      for (const entries of history.values())
        for (const { record } of entries.values()) ids.set(record.oldInstanceId, record.member);
      this.#had = { atMs: nowMs, ids };
    }
    return this.#had.ids;
  }
}
