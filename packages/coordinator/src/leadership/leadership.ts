import {
  backoffMs,
  type Beside,
  type Clock,
  endText,
  errorText,
  hasCode,
  isHandedOver,
  type Keyspace,
  type KvEntry,
  type KvStore,
  laterBy,
  LeaderRecordSchema,
  LeaderTerm,
  type Log,
  type MonotonicMs,
  newWriteId,
  parseRecord,
  type Random,
  RecurringFailure,
  type Revision,
  stampRecord,
  type Term,
  TransferRecordSchema,
  writeIdOf,
} from '@understudy/shared';
import { STORE_BACKOFF } from '../store/store-backoff.ts';
import type { KnownLeader, LeadershipView } from '../store/leadership-view.ts';
import { grantPersistently, type LeaseDeps, type LeaseKeeper } from '../store/lease-keeper.ts';
import { type LevelGate, recordedLevelIn } from '../store/level-gate.ts';
import { checkLeaseTiming, type LeaseTiming } from '../store/lease-timing.ts';
import { WatchCache } from '../store/watch-cache.ts';

export interface LeadershipOptions {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly keys: Keyspace;
  readonly self: { readonly coordinatorId: string; readonly az: string; readonly httpUrl: string };
  readonly timing: LeaseTiming;
  /** True while we should lead only where nobody else does. Default: never. */
  readonly isDrained?: () => boolean;
  /** Whether our build may lead. */
  readonly levelGate: LevelGate;
  /** What a leader's writes say beside what they do. */
  readonly beside?: Beside;
  /**
   * A waiting candidate reads the key again at least this often, in case a watch event got lost.
   * Default: half the TTL.
   */
  readonly recheckMs?: number;
  /**
   * How long we stay out of the race after resigning, so that somebody else wins it. Default 2 000.
   */
  readonly afterResignMs?: number;
}

/**
 * How long a drained coordinator leaves the lock to others: much longer than they need to take it,
 * and short where there is nobody else.
 */
const DRAINED_STAND_BACK_MS = 15_000;

/** A candidate's own entry: the lease it hangs on and the nonce inside it. */
interface Candidacy {
  readonly keeper: LeaseKeeper;
  readonly writeId: string;
  readonly value: string;
}

type Attempt =
  | { readonly kind: 'won'; readonly entry: KvEntry }
  | { readonly kind: 'lost'; readonly atRevision: Revision }
  | { readonly kind: 'unclear' }
  /** Our build may not lead; it may be asked again. */
  | { readonly kind: 'apart' };

/**
 * Elects one leader: the coordinator that creates the key `leader` under its own lease. The key's
 * create-revision is the term.
 *
 * A reply that was lost is recognised as one's own win by lease id and nonce. A win is read back
 * before it is believed. A candidate whose lease ended starts over with a new one. A leader that
 * stops leading stops believing first and tells the store afterwards.
 */
export class Leadership implements LeadershipView {
  readonly #options: LeadershipOptions;
  readonly #deps: LeaseDeps;
  readonly #view: WatchCache;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #unclear: RecurringFailure;
  readonly #failedCampaign: RecurringFailure;
  /** Aborts when the key was seen gone, so that waiting candidates run again. */
  #vacant = new AbortController();
  #term: LeaderTerm | null = null;
  #steppedDown: Promise<void> = Promise.resolve();
  #stayOutUntilMs: MonotonicMs;
  #running: Promise<void> | null = null;
  /** Since when we see nobody lead; null: we see somebody. */
  #vacantSinceMs: MonotonicMs | null;
  /** Term of the newest leader that we saw. */
  #lastTerm: Revision = 0;
  #read: { readonly entry: KvEntry; readonly leader: KnownLeader | null } | null = null;

  /** @throws CONFIG_INVALID when the timing does not fit together. */
  constructor(options: LeadershipOptions) {
    checkLeaseTiming(options.timing);
    const { store, clock, random, log } = options;
    this.#options = options;
    this.#deps = { store, clock, random, log };
    this.#stayOutUntilMs = clock.monotonicMs();
    this.#vacantSinceMs = clock.monotonicMs();
    this.#unclear = new RecurringFailure({ clock, log, event: 'leadership.attempt.unclear' });
    this.#failedCampaign = new RecurringFailure({ clock, log, event: 'leadership.campaign.failed' });
    this.#view = new WatchCache({ store, clock, random, log, prefix: options.keys.leader, probeEveryMs: 0 });
    this.#view.onChange(() => this.#leaderKeyChanged());
    options.levelGate.onChange(() => {
      if (options.levelGate.compare() === null) this.#term?.handOver('another feature level was agreed on');
    });
  }

  /** Joins the race in the background; etcd may be down. Idempotent. */
  start(): void {
    this.#view.start();
    this.#running ??= this.#run();
  }

  current(): Term | null {
    return this.#term && this.#term.remainingMs() > 0 ? this.#term : null;
  }

  knownLeader(): KnownLeader | null {
    const key = this.#options.keys.leader;
    const entry = this.#view.get(key);
    if (!entry) return null;
    // This is asked for every ack, so an entry is read only once.
    if (this.#read?.entry !== entry) this.#read = { entry, leader: this.#leaderOf(key, entry) };
    return this.#read.leader;
  }

  #leaderOf(key: string, entry: KvEntry): KnownLeader | null {
    try {
      const { coordinatorId, httpUrl } = parseRecord(LeaderRecordSchema, key, entry.value);
      return { coordinatorId, term: entry.createRevision, httpUrl };
    } catch (error) {
      this.#options.log.error('leadership.record.unreadable', { error: errorText(error) });
      return null;
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Planned hand-over: stops believing, then deletes the key, then revokes the lease. Stays out of
   * the race for `afterResignMs`. Resolves when the store knows, or after two call timeouts.
   * `false`: we did not lead.
   */
  async resign(): Promise<boolean> {
    const term = this.#term;
    if (!term) return false;
    const { clock, afterResignMs = 2000 } = this.#options;
    this.#stayOutUntilMs = laterBy(clock.monotonicMs(), afterResignMs);
    term.handOver('this coordinator resigns');
    await this.#atMost(this.#steppedDown);
    return true;
  }

  /**
   * Resigns, revokes, ends the watch. Bounded by a few call timeouts, also without etcd.
   * Idempotent.
   */
  async close(): Promise<void> {
    this.#closing.abort(new Error('leadership closed'));
    this.#term?.handOver('this coordinator stops');
    await this.#atMost(this.#running ?? Promise.resolve());
    this.#view.close();
  }

  // The race
  // ------------------------------------------------------------------------------------------------------------------------

  async #run(): Promise<void> {
    const closing = this.#closing.signal;
    while (!closing.aborted) {
      try {
        const stayOutMs = this.#stayOutUntilMs - this.#options.clock.monotonicMs();
        if (stayOutMs > 0) await this.#options.clock.sleep(stayOutMs, closing);
        await this.#campaign(await grantPersistently(this.#deps, this.#options.timing, closing));
      } catch (error) {
        if (closing.aborted) return;
        this.#failedCampaign.failed(error);
        await this.#sleep(backoffMs(3, STORE_BACKOFF, this.#options.random.next()), closing);
      }
    }
  }

  /** Runs for leader with this lease until it led once or the lease ended. */
  async #campaign(keeper: LeaseKeeper): Promise<void> {
    const spell = AbortSignal.any([keeper.signal, this.#closing.signal]);
    const candidacy = this.#candidacy(keeper);
    try {
      for (let unclear = 0; !spell.aborted; ) {
        await this.#standBack(spell);
        if (spell.aborted) return;
        const attempt = await this.#attempt(candidacy, spell);
        if (attempt.kind === 'won') {
          await this.#lead(keeper, attempt.entry);
          return;
        }
        if (attempt.kind === 'lost') await this.#vacancy(attempt.atRevision, spell);
        else if (attempt.kind === 'unclear')
          await this.#sleep(backoffMs(unclear, STORE_BACKOFF, this.#options.random.next()), spell);
        unclear = attempt.kind === 'unclear' ? unclear + 1 : 0;
      }
    } finally {
      const closed = keeper.close();
      if (this.#closing.signal.aborted) await closed;
    }
  }

  /** Leaves the lock to others for a while: bounded, and by our own clock only. */
  async #standBack(spell: AbortSignal): Promise<void> {
    for (let waitMs = this.#standBackMs(); waitMs > 0 && !spell.aborted; waitMs = this.#standBackMs())
      await this.#sleep(Math.min(waitMs, this.#recheckMs), spell);
  }

  #standBackMs(): number {
    const isDrained = this.#options.isDrained?.() === true;
    const leaveMs = isDrained ? DRAINED_STAND_BACK_MS : this.#leftToAnother();
    if (leaveMs === 0) return 0;
    // While somebody leads there is nothing to run for.
    if (this.#vacantSinceMs === null) return isDrained ? this.#recheckMs : 0;
    return this.#vacantSinceMs + leaveMs - this.#options.clock.monotonicMs();
  }

  /** For how long the last leader asked to leave the lock to another one, if it did. */
  #leftToAnother(): number {
    const { keys, self } = this.#options;
    const entry = this.#view.get(keys.transfer);
    if (!entry) return 0;
    try {
      const { term, to, standBackMs } = parseRecord(TransferRecordSchema, entry.key, entry.value);
      return term === this.#lastTerm && to !== self.coordinatorId ? standBackMs : 0;
    } catch {
      // It only asks for a favour.
      return 0;
    }
  }

  #candidacy(keeper: LeaseKeeper): Candidacy {
    const { clock, random, self } = this.#options;
    const writeId = newWriteId(random);
    const value = stampRecord(self, writeId, { clock, random, writtenBy: self.coordinatorId });
    return { keeper, writeId, value };
  }

  /** **S** (S24): nobody is elected whose build does not understand the agreed feature level. */
  async #attempt(candidacy: Candidacy, spell: AbortSignal): Promise<Attempt> {
    const { store, keys, levelGate } = this.#options;
    const agreed = levelGate.compare();
    if (agreed === null) {
      await this.#untilLevelChanges(spell);
      return { kind: 'apart' };
    }
    const { leaseId } = candidacy.keeper;
    try {
      const result = await store.txn({
        compare: [{ key: keys.leader, createRevision: 0 }, agreed],
        writes: [{ kind: 'put', key: keys.leader, value: candidacy.value, leaseId }],
        elseGet: [keys.leader, agreed.key],
      });
      this.#unclear.worked();
      this.#failedCampaign.worked();
      const [leader = null, found = null] = result.elseEntries;
      if (!result.succeeded) levelGate.note(recordedLevelIn(found));
      // Only the level was not the one we knew: once more, with what it is.
      if (!result.succeeded && leader === null) return { kind: 'unclear' };
      if (!result.succeeded && ownOf(candidacy, leader) === null) return { kind: 'lost', atRevision: result.revision };
      return await this.#confirm(candidacy);
    } catch (error) {
      this.#unclear.failed(error);
      if (hasCode(error, 'STORE_REJECTED')) candidacy.keeper.reportGone();
      // A put whose reply was lost shows up as our own entry in the next attempt.
      return { kind: 'unclear' };
    }
  }

  /**
   * A win is believed only after it was read back: the lease may have ended since, and the key with
   * it.
   */
  async #confirm(candidacy: Candidacy): Promise<Attempt> {
    const entry = ownOf(candidacy, await this.#options.store.get(this.#options.keys.leader));
    return entry ? { kind: 'won', entry } : { kind: 'unclear' };
  }

  /**
   * Resolves when the key was seen gone after `revision`, after the re-check bound, or when `spell`
   * ends.
   */
  async #vacancy(revision: Revision, spell: AbortSignal): Promise<void> {
    this.#vacant = new AbortController();
    if (this.#view.revision > revision && !this.#view.get(this.#options.keys.leader)) return;
    await this.#sleep(this.#recheckMs, AbortSignal.any([this.#vacant.signal, spell]));
  }

  async #untilLevelChanges(spell: AbortSignal): Promise<void> {
    const changed = new AbortController();
    const unsubscribe = this.#options.levelGate.onChange(() => changed.abort());
    await this.#sleep(this.#recheckMs, AbortSignal.any([changed.signal, spell]));
    unsubscribe();
  }

  get #recheckMs(): number {
    return this.#options.recheckMs ?? this.#options.timing.ttlMs / 2;
  }

  /** Returns early when the signal aborts. */
  #sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return this.#options.clock.sleep(durationMs, signal).catch(() => undefined);
  }

  // Leading
  // --------------------------------------------------------------------------------------------------------------------------

  async #lead(keeper: LeaseKeeper, entry: KvEntry): Promise<void> {
    const { keys, self, log } = this.#options;
    const term = new LeaderTerm({
      ...{ deps: this.#deps, keys, coordinatorId: self.coordinatorId, keeper, entry },
      ...(this.#options.beside ? { beside: this.#options.beside } : {}),
    });
    if (this.#closing.signal.aborted) term.handOver('this coordinator stops');
    const steppedDown = Promise.withResolvers<void>();
    this.#steppedDown = steppedDown.promise;
    if (term.remainingMs() > 0) {
      this.#term = term;
      log.info('leadership.won', { term: term.number, leaseId: keeper.leaseId });
      this.#notify();
      await over(term);
      this.#term = null;
      log[isHandedOver(term.signal.reason) ? 'info' : 'warn']('leadership.ended', {
        term: term.number,
        reason: endText(term.signal.reason),
      });
      this.#notify();
    }
    await this.#giveBack(keeper, term).finally(() => steppedDown.resolve());
  }

  /**
   * Deletes the key if it still is ours. Best effort: the lease's revocation or end does the same.
   */
  async #giveBack(keeper: LeaseKeeper, term: LeaderTerm): Promise<void> {
    const key = this.#options.keys.leader;
    if (keeper.remainingMs() === 0) return;
    try {
      await this.#options.store.txn({
        compare: [{ key, createRevision: term.number }],
        writes: [{ kind: 'delete', key }],
      });
    } catch (error) {
      this.#options.log.warn('leadership.resign.unclear', { term: term.number, error: errorText(error) });
    }
  }

  /**
   * The watch saw the key gone or in other hands. The term is over then, whatever our lease says.
   */
  #leaderKeyChanged(): void {
    const term = this.#term;
    const entry = this.#view.get(this.#options.keys.leader);
    if (term && this.#view.revision >= term.number && entry?.createRevision !== term.number)
      term.end('the leader key is gone or in other hands');
    if (entry) this.#lastTerm = entry.createRevision;
    this.#vacantSinceMs = entry ? null : (this.#vacantSinceMs ?? this.#options.clock.monotonicMs());
    if (!entry) this.#vacant.abort();
    this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  async #atMost(work: Promise<void>): Promise<void> {
    const limit = new AbortController();
    const limitMs = 4 * this.#options.timing.callTimeoutMs;
    await Promise.race([work, this.#options.clock.sleep(limitMs, limit.signal).catch(() => undefined)]);
    limit.abort();
  }
}

/** The entry, if it is the candidate's own; otherwise null. */
const ownOf = (candidacy: Candidacy, entry: KvEntry | null | undefined): KvEntry | null =>
  entry?.leaseId === candidacy.keeper.leaseId && writeIdOf(entry) === candidacy.writeId ? entry : null;

const over = (term: LeaderTerm): Promise<void> =>
  new Promise((resolve) => {
    if (term.signal.aborted) resolve();
    else term.signal.addEventListener('abort', () => resolve());
  });
