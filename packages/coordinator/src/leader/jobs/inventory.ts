import { type Kind, KINDS, untilAborted } from '@understudy/inventory';
import {
  type Clock,
  errorText,
  hasCode,
  isOperationError,
  type Log,
  type Problem,
  problemOf,
  type Term,
} from '@understudy/shared';
import type { Deeds } from '../../hints/deeds.ts';
import type { InventoryKeeping } from '../../inventory/inventory-keeping.ts';
import type { LeaderJob } from './leader-job.ts';

/** Retention is seen to this often, ms. */
const COMPACT_EVERY_MS = 600_000;

export interface InventoryJobOptions {
  readonly keeping: InventoryKeeping;
  /** Who was heard to change instances. */
  readonly deeds: Pick<Deeds, 'recent'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Keeps the inventory history: lists every kind of resource and writes what changed. It keeps the
 * leader from nothing. Whatever fails is a remark, and is tried again with the next round.
 */
export class InventoryJob implements LeaderJob {
  readonly name = 'inventory';
  readonly everyMs: number;
  readonly #options: InventoryJobOptions;
  /** Kind → what kept it from being complete. */
  #shortfalls: ReadonlyMap<string, string> = new Map();
  #failure: Problem | null = null;
  #compactedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: InventoryJobOptions) {
    this.#options = options;
    this.everyMs = options.keeping.settings.everyMs;
  }

  beginTerm(): void {
    this.#shortfalls = new Map();
    this.#failure = null;
  }

  async run(term: Term): Promise<void> {
    const { clock, keeping } = this.#options;
    const startedAtMs = clock.monotonicMs();
    try {
      // First: a disk that is full takes no crawl, and what is too old may make room.
      await this.#compact(term);
      await this.#round(term);
      keeping.recent.forget();
      keeping.counts.lastRoundMs = clock.monotonicMs() - startedAtMs;
      this.#failure = null;
    } catch (error) {
      // The term is over: that is no fault of the history.
      if (term.signal.aborted || !isOperationError(error) || hasCode(error, 'LEASE_LOST')) throw error;
      keeping.counts.crawled('failed');
      this.#failure = problemOf(error.code, errorText(error));
      this.#options.log.warn('inventory.failed', { error: errorText(error), term: term.number });
    }
  }

  remarks(): readonly Problem[] {
    if (this.#failure !== null) return [this.#failure];
    const [first, ...others] = [...this.#shortfalls];
    if (first === undefined) return [];
    const more = others.length === 0 ? '' : `; and ${others.map(([kind]) => kind).join(', ')}`;
    return [problemOf('INVENTORY_INCOMPLETE', `${first[0]}: ${first[1]}${more}`)];
  }

  async #round(term: Term): Promise<void> {
    const { keeping } = this.#options;
    const { hostedZones, targetGroups } = keeping.settings;
    const scopes = { 'hosted-zone': hostedZones, 'target-group': targetGroups };
    const kinds = KINDS.filter(({ scope }) => scope === null || scopes[scope].length > 0);
    const shortfalls = new Map<string, string>();
    for (const kind of kinds) {
      const detail = await this.#crawl(kind, term);
      if (detail !== null) shortfalls.set(kind.name, detail);
    }
    this.#shortfalls = shortfalls;
  }

  /** Why it is not complete. Null: it is. */
  async #crawl(kind: Kind, term: Term): Promise<string | null> {
    const { keeping, log, deeds } = this.#options;
    const by = { term: term.number, writer: term.coordinatorId };
    const report = await keeping.crawler.crawl(kind, by, term.signal, (name) =>
      name === 'instance' ? deeds.recent() : [],
    );
    const { outcome, opened, changed, gone, detail, ...counts } = report;
    keeping.counts.crawled(outcome);
    for (const [what, count] of Object.entries({ opened, changed, gone })) keeping.counts.wrote(what, count);
    const facts = { kind: kind.name, outcome, opened, changed, gone, ...counts, term: term.number };
    if (outcome !== 'complete') log.warn('inventory.incomplete', { ...facts, detail });
    else if (opened + changed + gone > 0) log.info('inventory.changed', facts);
    return outcome === 'complete' ? null : detail;
  }

  async #compact(term: Term): Promise<void> {
    const { clock, keeping, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#compactedAtMs < COMPACT_EVERY_MS) return;
    this.#compactedAtMs = nowMs;
    const { history, settings } = keeping;
    const by = { term: term.number, writer: term.coordinatorId };
    let removed = 0;
    for (let isMore = true; isMore; ) {
      const done = await untilAborted(history.compact(settings, by, clock.wallMs()), term.signal);
      removed += done.removed;
      isMore = done.isMore;
    }
    if (removed > 0) log.info('inventory.compacted', { removed, term: term.number });
  }
}
