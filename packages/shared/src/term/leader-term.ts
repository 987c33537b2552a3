import type { Clock } from '../ports/clock.ts';
import type { CommitOutcome, GuardedDelete, GuardedPut, GuardedWrite, Term } from '../ports/term.ts';
import { errorText, OperationError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import type { Keyspace } from '../keyspace.ts';
import type { KvEntry, KvStore, LeaseId, Revision } from '../ports/kv-store.ts';
import type { MonotonicMs } from '../units.ts';
import type { Random } from '../ports/random.ts';
import { commitGuarded, newWriteId, type PreparedCommit, stampRecord } from './guarded-commit.ts';

/** Reason of a term that is given back on purpose: nothing was lost. */
const HANDED_OVER = 'handed over';
const ON_PURPOSE = new RegExp(`^LEASE_LOST: (?=term \\d+ is over: ${HANDED_OVER})`);

/**
 * Why a term, or work in it, ended, for a log. When this coordinator stops or resigns, the error
 * has the code of a lost lease, because all work in the term must stop the same way. It is not told
 * as a loss.
 */
export const endText = (error: unknown): string => errorText(error).replace(ON_PURPOSE, '');

/** True when the term was given back on purpose. Every other end is a loss. */
export const isHandedOver = (error: unknown): boolean => ON_PURPOSE.test(errorText(error));

/** The part of a lease that a term needs. */
export interface TermLease {
  readonly leaseId: LeaseId;
  /** Aborted once the lease is lost, with the reason. */
  readonly signal: AbortSignal;
  readonly validUntilMs: MonotonicMs;
  /** 0 once it is lost. It notices a deadline that has passed during a pause. */
  remainingMs(): number;
}

export interface LeaderTermOptions {
  readonly deps: { readonly store: KvStore; readonly clock: Clock; readonly random: Random };
  readonly keys: Keyspace;
  readonly coordinatorId: string;
  readonly keeper: TermLease;
  /** The `leader` entry as read back after winning. */
  readonly entry: KvEntry;
  /**
   * What a write is to say beside what it does, in the same transaction: {@link Beside}. Absent:
   * nothing.
   */
  readonly beside?: Beside;
}

/**
 * Puts that go along with a write of the leader, under keys that nobody has used (`expect` 0 always
 * holds). They are applied if and only if the write is, and change nothing about its outcome.
 */
export type Beside = (
  write: Omit<GuardedWrite, 'puts'> & { readonly puts: readonly GuardedPut[] },
) => readonly GuardedPut[];

/**
 * One spell of leadership; see {@link Term}. It ends once, and for good: with the lease, by
 * resignation, or when the store says otherwise.
 */
export class LeaderTerm implements Term {
  readonly number: Revision;
  readonly coordinatorId: string;
  readonly leaseId: LeaseId;
  readonly #options: LeaderTermOptions;
  readonly #over = new AbortController();

  constructor(options: LeaderTermOptions) {
    this.#options = options;
    this.number = options.entry.createRevision;
    this.coordinatorId = options.coordinatorId;
    this.leaseId = options.keeper.leaseId;
    const { signal } = options.keeper;
    if (signal.aborted) this.end(errorText(signal.reason));
    else signal.addEventListener('abort', () => this.end(errorText(signal.reason)));
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /**
   * Our own deadline, as of the last good keepalive. From then on every question is answered no.
   */
  get validUntilMs(): MonotonicMs {
    return this.#options.keeper.validUntilMs;
  }

  /** Ends like {@link end}, because we stop or resign. `why` is in words. */
  handOver(why: string): void {
    this.end(`${HANDED_OVER}, ${why}`);
  }

  /** Stops believing, at once. The first reason counts, and is returned. */
  end(reason: string): unknown {
    this.#over.abort(new OperationError('LEASE_LOST', `term ${this.number} is over: ${reason}`));
    return this.#over.signal.reason;
  }

  holdsFor(neededMs: number): boolean {
    return this.remainingMs() > neededMs;
  }

  remainingMs(): number {
    // This is asked first. It ends the term on the spot when the deadline has passed unnoticed (we
    // were paused).
    const remainingMs = this.#options.keeper.remainingMs();
    return this.#over.signal.aborted ? 0 : remainingMs;
  }

  commit(write: GuardedWrite): Promise<CommitOutcome> {
    return this.#commit(write, this.#options.beside?.(write) ?? []);
  }

  async #commit(write: GuardedWrite, beside: readonly GuardedPut[]): Promise<CommitOutcome> {
    const [first, ...others] = write.puts;
    const outcome = await this.#send(() => this.#stamped({ ...write, puts: [first, ...others, ...beside] }));
    if (outcome.kind === 'committed') return outcome;
    // The writer finds its own entries where it put them.
    const own = write.puts.length;
    return { ...outcome, entries: outcome.entries.toSpliced(own, beside.length) };
  }

  async remove(deletes: readonly [GuardedDelete, ...GuardedDelete[]]): Promise<CommitOutcome> {
    for (const { key, expect } of deletes) invariant(expect > 0, `cannot delete ${key} at revision ${expect}`);
    const [first, ...others] = this.#options.beside?.({ puts: [], deletes }) ?? [];
    if (first) {
      const outcome = await this.#send(() => this.#stamped({ puts: [first, ...others], deletes }));
      if (outcome.kind === 'committed') return outcome;
      // Somebody else has removed or changed one of them. What that means is for a removal to say.
    }
    return this.#send(() => ({ ...this.#unstamped({ deletes }), writeId: null, puts: [] }));
  }

  async #send(prepare: () => PreparedCommit): Promise<CommitOutcome> {
    this.#throwIfOver();
    const mayRepeat = () => this.remainingMs() > 0;
    const outcome = await commitGuarded(this.#options.deps.store, prepare(), mayRepeat);
    if (outcome.kind === 'guardFailed') throw this.end('another coordinator leads');
    return outcome;
  }

  #throwIfOver(): void {
    if (this.remainingMs() === 0) this.#over.signal.throwIfAborted();
  }

  #stamped(write: GuardedWrite): PreparedCommit {
    const { clock, random } = this.#options.deps;
    const writeId = newWriteId(random);
    const stamp = { clock, random, writtenBy: this.coordinatorId };
    const puts = write.puts.map(({ key, record, expect }) => ({
      key,
      value: stampRecord(record, writeId, stamp),
      expect,
    }));
    return { ...this.#unstamped(write), writeId, puts };
  }

  #unstamped(write: Omit<GuardedWrite, 'puts'>): Omit<PreparedCommit, 'writeId' | 'puts'> {
    return {
      deletes: write.deletes ?? [],
      deletePrefixes: write.deletePrefixes ?? [],
      also: write.also ?? [],
      guard: { key: this.#options.keys.leader, createRevision: this.number },
    };
  }
}
