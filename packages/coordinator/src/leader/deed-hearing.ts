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
/** A newer deed takes the place of an older one: made-up ones must not keep etcd writing. */
const REPLACEMENTS: BucketLimit = { burst: 20, refillPerSecond: 0.1 };

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

/** What is to be written of a member. */
interface Due {
  readonly member: MemberId;
  readonly tickets: readonly string[];
  readonly put: GuardedPut;
}
type Outcome = 'committed' | 'conflict' | 'failed';

/** What became of deeds that were to be written down, by the tickets that {@link note} gave. */
export interface Kept {
  /** They stand in etcd, or need not. */
  readonly settled: readonly string[];
  /** Nobody has them but the queue. */
  readonly failed: readonly string[];
}

const notAsSeen = (member: MemberId): OperationError =>
  new OperationError('RECORD_UNREADABLE', `the deeds of ${member} are not as they are seen`);

const isSame = (some: readonly KeptDeed[] | null, others: readonly KeptDeed[] | null): boolean =>
  some?.length === others?.length && (some ?? []).every((one, nth) => one === others?.[nth]);

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
  /** In a row, of a member. */
  readonly #conflicts = new Map<MemberId, number>();
  #lines: TokenBucket | null = null;
  #replacements: TokenBucket | null = null;
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
    this.#conflicts.clear();
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

  /** What waits of some members, in one transaction. It does not throw for what etcd did. */
  async write(term: Term): Promise<Kept> {
    if (this.#pending.size === 0 || !this.#options.view.isFresh()) return { settled: [], failed: [] };
    const { due, settled } = this.#due();
    const failed: string[] = [];
    for (const { member, tickets, outcome } of await this.#writeAll(term, due)) {
      const count = outcome === 'conflict' ? (this.#conflicts.get(member) ?? 0) + 1 : 0;
      this.#conflicts.set(member, count);
      if (outcome === 'conflict' && count < CONFLICTS_MAX) continue;
      this.#conflicts.delete(member);
      if (outcome === 'conflict') this.#failing.failed(notAsSeen(member));
      if (outcome === 'committed') settled.push(...tickets);
      else failed.push(...tickets);
    }
    for (const ticket of [...settled, ...failed]) this.#pending.delete(ticket);
    return { settled, failed };
  }

  /** What is written next, and tickets of which nothing is to be written. */
  #due(): { readonly due: readonly Due[]; readonly settled: string[] } {
    const { records } = this.#options.view;
    const settled: string[] = [];
    const due: Due[] = [];
    let room = WAITING_MEMBERS_MAX - records.deeds.size;
    for (const [member, entries] of Map.groupBy(this.#pending, ([, one]) => one.member)) {
      if (due.length >= RECORDS_AT_ONCE) break;
      const tickets = entries.map(([ticket]) => ticket);
      const isNew = !records.deeds.has(member);
      const told = entries.map(([, one]) => one.told);
      const kept = isNew && room <= 0 ? null : this.#waitingWith(member, told);
      if (kept === null) settled.push(...tickets);
      else {
        if (isNew) room -= 1;
        due.push({ member, tickets, put: this.#putOf(member, kept) });
      }
    }
    return { due, settled };
  }

  /** A replacement takes a token; without one a newer deed finds no room. */
  #waitingWith(member: MemberId, told: readonly KeptDeed[]): readonly KeptDeed[] | null {
    const { view, clock } = this.#options;
    const nowWallMs = clock.wallMs();
    const asItIs = waitingWith(view.records, member, told, { nowWallMs, mayReplace: false });
    const replaced = waitingWith(view.records, member, told, { nowWallMs, mayReplace: true });
    if (isSame(asItIs, replaced)) return asItIs;
    const nowMs = clock.monotonicMs();
    const left = takeTokens(this.#replacements ?? fullBucket(REPLACEMENTS, nowMs), REPLACEMENTS, nowMs);
    if (left === null) return asItIs;
    this.#replacements = left;
    return replaced;
  }

  /** A record that cannot be read is replaced: it has claims only, and the log has what ails it. */
  #putOf(member: MemberId, kept: readonly KeptDeed[]): GuardedPut {
    const { view, keys } = this.#options;
    const key = keys.deedsOf(member);
    const before = view.records.deeds.get(member) ?? view.records.unreadable.get(key);
    return { key, record: { member, kept }, expect: before?.modRevision ?? 0 };
  }

  /** All together; where one of them is not as it is seen, each by itself. */
  async #writeAll(term: Term, due: readonly Due[]): Promise<readonly (Due & { readonly outcome: Outcome })[]> {
    const [first, ...more] = due.map(({ put }) => put);
    if (first === undefined) return [];
    const together = await this.#commit(term, [first, ...more]);
    if (together !== 'conflict' || more.length === 0) return due.map((one) => ({ ...one, outcome: together }));
    const alone: (Due & { readonly outcome: Outcome })[] = [];
    for (const one of due) alone.push({ ...one, outcome: await this.#commit(term, [one.put]) });
    return alone;
  }

  async #commit(term: Term, puts: readonly [GuardedPut, ...GuardedPut[]]): Promise<Outcome> {
    try {
      const { kind } = await term.commit({ puts });
      if (kind === 'conflict') return 'conflict';
      this.#failing.worked();
      return 'committed';
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (!hasCode(error, 'LEASE_LOST')) this.#failing.failed(error);
      return 'failed';
    }
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
