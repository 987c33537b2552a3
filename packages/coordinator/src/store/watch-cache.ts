import {
  backoffMs,
  type Clock,
  errorText,
  type KvEntry,
  type KvEvent,
  type KvRange,
  type KvStore,
  type KvWatch,
  type Log,
  type MonotonicMs,
  type Random,
  RecurringFailure,
  type Revision,
} from '@understudy/shared';
import { STORE_BACKOFF } from './store-backoff.ts';
import { CompletenessCheck } from './completeness-check.ts';

export interface WatchCacheOptions {
  readonly store: KvStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly prefix: string;
  /**
   * Time between full re-lists, which are compared with the map (etcd can drop watch events:
   * etcd-io/etcd#20655). Default 300 000.
   */
  readonly relistEveryMs?: number;
  /**
   * Time between cheap linearizable reads, which prove how fresh the view is. 0 = never. Default 1
   * 000.
   */
  readonly probeEveryMs?: number;
  /**
   * A part of the prefix that each probe reads too, and that must then be in the map as it was
   * read. Keep it small. Absent: no part.
   */
  readonly witnessPrefix?: string;
  /**
   * A watch this far behind a read is stuck. It is started again from a new list. Default 10 000.
   */
  readonly lagLimitMs?: number;
}

/** One write to one key: what stood there and what stands there now. Null: nothing. */
export interface StoreStep {
  readonly key: string;
  readonly before: KvEntry | null;
  readonly after: KvEntry | null;
  readonly revision: Revision;
}

/** Told of every write in etcd's order, after the map and those told of keys have it. */
export interface StoreObserver {
  /** The map begins, or begins anew, with everything up to this revision. */
  began(revision: Revision): void;
  changed(steps: readonly StoreStep[]): void;
}

interface Probe {
  readonly sentAtMs: MonotonicMs;
  readonly sentAtWallMs: number;
  readonly revision: Revision;
  readonly seen: KvRange;
}

/**
 * A local mirror of everything under a prefix. It lists at revision R, watches from R + 1, and
 * lists again when that history is gone.
 *
 * Fresh means proven: at `freshAtMs` the map held every write that had been committed by then. The
 * proof is a linearizable read (a list, or a probe) sent at that moment, whose revision the watch
 * has reached since. A watch alone proves nothing: a member cut off from its quorum goes on
 * answering it.
 */
export class WatchCache {
  readonly #options: WatchCacheOptions;
  readonly #entries = new Map<string, KvEntry>();
  readonly #listeners = new Set<(changedKeys: readonly string[]) => void>();
  #observer: StoreObserver | null = null;
  readonly #closing = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  #revision: Revision = 0;
  readonly #witness: CompletenessCheck | null;
  #freshAtMs: MonotonicMs | null = null;
  /**
   * The same moment on the wall clock, which goes on while a suspended machine's monotonic clock
   * stands still.
   */
  #freshAtWallMs = Number.POSITIVE_INFINITY;
  #anomalies = 0;
  #stalls = 0;
  #watch: KvWatch | null = null;
  #listing = false;
  #started = false;
  /**
   * Probes whose revision is not reached yet. At most those of the lag limit are kept, because then
   * the view begins anew.
   */
  #probes: Probe[] = [];
  #revisionWaiters: { readonly revision: Revision; readonly reached: () => void }[] = [];
  /**
   * While a re-list is compared: the newest revision of each key that changed since the list was
   * asked for.
   */
  #touched: Map<string, Revision> | null = null;

  constructor(options: WatchCacheOptions) {
    this.#options = options;
    this.#witness = options.witnessPrefix === undefined ? null : new CompletenessCheck(options.witnessPrefix);
    this.#ready.promise.catch(() => undefined);
  }

  /** Begins to list in the background; etcd may be down. Idempotent. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#list();
    void this.#every(this.#options.relistEveryMs ?? 300_000, () => this.#compareWithList());
    const probeEveryMs = this.#options.probeEveryMs ?? 1000;
    if (probeEveryMs > 0) void this.#every(probeEveryMs, () => this.#probe());
  }

  /** Resolves with the first complete list; rejects when the view is closed before. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  get isReady(): boolean {
    return this.#revision > 0;
  }

  get(key: string): KvEntry | undefined {
    return this.#entries.get(key);
  }

  /** The live map. Do not keep it across an await if you need one moment in time. */
  entries(): ReadonlyMap<string, KvEntry> {
    return this.#entries;
  }

  /** Everything up to this store revision is in the map; 0 before the first list. */
  get revision(): Revision {
    return this.#revision;
  }

  /**
   * Own monotonic time at which the map is proven to have been complete; null before the first
   * list.
   */
  get freshAtMs(): MonotonicMs | null {
    return this.#freshAtMs;
  }

  /**
   * How long ago the map was proven complete; Infinity before the first list. The longer of two
   * clocks' answers counts: a wall clock that was stepped forward makes the view look old until the
   * next probe, which costs a second of caution.
   */
  ageMs(): number {
    if (this.#freshAtMs === null) return Number.POSITIVE_INFINITY;
    const { clock } = this.#options;
    return Math.max(clock.monotonicMs() - this.#freshAtMs, clock.wallMs() - this.#freshAtWallMs);
  }

  /**
   * Keys that a periodic re-list found different: events that etcd lost. This should stay 0 for
   * ever; export it as a metric.
   */
  get anomalies(): number {
    return this.#anomalies;
  }

  /** How often the watch was started again because it lagged behind reads. */
  get stalls(): number {
    return this.#stalls;
  }

  /** Called after the map changed, with the keys that did. Returns the unsubscribe function. */
  onChange(listener: (changedKeys: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** There is at most one. Set it before the start. */
  observeWith(observer: StoreObserver): void {
    this.#observer = observer;
  }

  /** No listener is called afterwards. Idempotent. */
  close(): void {
    this.#closing.abort(new Error('view closed'));
    this.#watch?.cancel();
    this.#watch = null;
    for (const waiter of this.#revisionWaiters) waiter.reached();
    this.#revisionWaiters = [];
    this.#ready.reject(this.#closing.signal.reason);
  }

  // List and watch
  // ------------------------------------------------------------------------------------------------------------------

  async #list(): Promise<void> {
    if (this.#listing) return;
    this.#listing = true;
    this.#watch?.cancel();
    this.#watch = null;
    const failure = new RecurringFailure({ ...this.#options, event: 'store.view.list.failed' });
    for (let attempt = 0; !this.#closing.signal.aborted; attempt += 1) {
      const sentAtMs = this.#options.clock.monotonicMs();
      const sentAtWallMs = this.#options.clock.wallMs();
      try {
        const range = await this.#options.store.range(this.#options.prefix);
        this.#listing = false;
        failure.worked();
        if (!this.#closing.signal.aborted) this.#adopt(range, sentAtMs, sentAtWallMs);
        return;
      } catch (error) {
        failure.failed(error, { prefix: this.#options.prefix });
        await this.#sleep(backoffMs(attempt, STORE_BACKOFF, this.#options.random.next()));
      }
    }
  }

  #adopt(range: KvRange, sentAtMs: MonotonicMs, sentAtWallMs: number): void {
    const changed: string[] = [];
    const listed = new Set<string>();
    for (const entry of range.entries) {
      listed.add(entry.key);
      if (this.#entries.get(entry.key)?.modRevision === entry.modRevision) continue;
      this.#entries.set(entry.key, entry);
      changed.push(entry.key);
    }
    for (const key of this.#entries.keys()) if (!listed.has(key)) changed.push(key);
    for (const key of changed) if (!listed.has(key)) this.#entries.delete(key);
    this.#revision = range.revision;
    this.#freshAtMs = sentAtMs;
    this.#freshAtWallMs = sentAtWallMs;
    this.#probes = [];
    this.#watch = this.#options.store.watch(this.#options.prefix, range.revision + 1, {
      onEvents: (events, revision) => this.#apply(events, revision),
      onProgress: (revision) => this.#reach(revision),
      onCompacted: () => void this.#list(),
      onDisconnected: (error) =>
        this.#options.log.debug('store.view.disconnected', {
          prefix: this.#options.prefix,
          error: errorText(error),
        }),
    });
    this.#ready.resolve();
    this.#reach(range.revision);
    this.#notify(changed);
    this.#observer?.began(range.revision);
  }

  #apply(events: readonly KvEvent[], revision: Revision): void {
    const changed = new Set<string>();
    const steps: StoreStep[] = [];
    for (const event of events) {
      const key = event.kind === 'put' ? event.entry.key : event.key;
      steps.push(stepOf(event, this.#entries.get(key) ?? null));
      if (event.kind === 'put') this.#entries.set(key, event.entry);
      else this.#forget(key, event.modRevision);
      changed.add(key);
      this.#touched?.set(key, event.kind === 'put' ? event.entry.modRevision : event.modRevision);
    }
    this.#reach(revision);
    this.#notify([...changed]);
    this.#observer?.changed(steps);
  }

  #forget(key: string, revision: Revision): void {
    this.#entries.delete(key);
    this.#witness?.noteDeleted(key, revision);
  }

  #notify(changed: readonly string[]): void {
    if (changed.length === 0) return;
    for (const listener of [...this.#listeners]) listener(changed);
  }

  /** Notes that the map now holds everything up to `revision`. */
  #reach(revision: Revision): void {
    this.#revision = Math.max(this.#revision, revision);
    const answered = this.#probes.filter((probe) => probe.revision <= this.#revision);
    this.#probes = this.#probes.filter((probe) => probe.revision > this.#revision);
    for (const probe of answered) this.#prove(probe);
    const reached = this.#revisionWaiters.filter((waiter) => waiter.revision <= this.#revision);
    this.#revisionWaiters = this.#revisionWaiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of reached) waiter.reached();
  }

  /**
   * The map has reached the probe's revision: it is complete as of then, unless it lacks what the
   * probe has seen.
   */
  #prove({ sentAtMs, sentAtWallMs, seen }: Probe): void {
    const different = this.#witness?.differences(seen, this.#entries) ?? [];
    if (different.length > 0) return this.#lost(different);
    this.#freshAtMs = sentAtMs;
    this.#freshAtWallMs = sentAtWallMs;
  }

  /** Handles events that never came: from now on the map comes from a list. */
  #lost(different: readonly string[]): void {
    this.#anomalies += different.length;
    this.#options.log.error('store.view.anomaly', {
      prefix: this.#options.prefix,
      count: different.length,
      keys: different.slice(0, 10),
    });
    void this.#list();
  }

  // Proofs
  // ----------------------------------------------------------------------------------------------------------------------------

  async #probe(): Promise<void> {
    if (!this.#watch) return;
    const sentAtMs = this.#options.clock.monotonicMs();
    const sentAtWallMs = this.#options.clock.wallMs();
    const watch = this.#watch;
    const seen = await this.#readLittle();
    // A list in between has its own proof, and its own watch.
    if (seen === null || watch !== this.#watch) return;
    const probe = { sentAtMs, sentAtWallMs, revision: seen.revision, seen };
    if (seen.revision <= this.#revision) this.#prove(probe);
    else this.#probes.push(probe);
    const oldest = this.#probes[0];
    if (oldest && sentAtMs - oldest.sentAtMs > this.#lagLimitMs) this.#stalled(oldest.revision);
  }

  /**
   * The store's revision, by a linearizable read of next to nothing. Null when it failed; then
   * nothing is proven.
   */
  async #readLittle(): Promise<KvRange | null> {
    try {
      const { store, prefix, witnessPrefix = `${prefix}.nothing/` } = this.#options;
      return await store.range(witnessPrefix);
    } catch {
      return null;
    }
  }

  get #lagLimitMs(): number {
    return this.#options.lagLimitMs ?? 10_000;
  }

  /** etcd promises that no event is lost. This is where we would see that one was. */
  async #compareWithList(): Promise<void> {
    if (!this.#watch) return;
    const watch = this.#watch;
    const touched = new Map<string, Revision>();
    this.#touched = touched;
    try {
      const range = await this.#options.store.range(this.#options.prefix);
      const caughtUp = await this.#caughtUpWith(range.revision);
      if (watch !== this.#watch) return;
      if (!caughtUp) this.#stalled(range.revision);
      else this.#reportDifferences(range, touched);
    } catch (error) {
      this.#options.log.debug('store.view.relist.failed', { error: errorText(error) });
    } finally {
      this.#touched = null;
    }
  }

  #reportDifferences(range: KvRange, touched: ReadonlyMap<string, Revision>): void {
    const listed = new Map(range.entries.map((entry) => [entry.key, entry.modRevision]));
    const different = [...new Set([...listed.keys(), ...this.#entries.keys()])].filter((key) => {
      if ((touched.get(key) ?? 0) > range.revision) return false;
      return listed.get(key) !== this.#entries.get(key)?.modRevision;
    });
    if (different.length > 0) this.#lost(different);
  }

  #stalled(revision: Revision): void {
    this.#stalls += 1;
    const fields = { prefix: this.#options.prefix, atRevision: this.#revision, storeRevision: revision };
    this.#options.log.warn('store.view.stalled', fields);
    void this.#list();
  }

  #caughtUpWith(revision: Revision): Promise<boolean> {
    if (revision <= this.#revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      // A list follows, and it reaches what is not reached by then.
      const timer = this.#options.clock.setTimer(this.#lagLimitMs, () => resolve(false));
      const reached = () => {
        timer.cancel();
        resolve(true);
      };
      this.#revisionWaiters.push({ revision, reached });
    });
  }

  async #every(periodMs: number, work: () => Promise<void>): Promise<void> {
    while (await this.#sleep(periodMs * (0.9 + this.#options.random.next() / 5))) await work();
  }

  /** `false` when the view was closed meanwhile. */
  async #sleep(durationMs: number): Promise<boolean> {
    await this.#options.clock.sleep(durationMs, this.#closing.signal).catch(() => undefined);
    return !this.#closing.signal.aborted;
  }
}

const stepOf = (event: KvEvent, before: KvEntry | null): StoreStep =>
  event.kind === 'put'
    ? { key: event.entry.key, before, after: event.entry, revision: event.entry.modRevision }
    : { key: event.key, before, after: null, revision: event.modRevision };
