import type { Raw } from '@understudy/shared';
import type { FieldChange } from './core/diff.ts';
import type { Condition } from './core/condition.ts';
import type { Version } from './core/version.ts';

/** One crawl of one kind. */
export interface CrawlName {
  /** Unique in the history. */
  readonly crawl: string;
  readonly kind: string;
}

/** Somebody has changed a resource, as an event of AWS claims. */
export interface ClaimedDeed {
  readonly id: string;
  /** When it was done, by the clock of AWS. */
  readonly atWallMs: number;
  /** Who did it, and by which call, in words. */
  readonly by: string;
}

export interface FinishedCrawl extends CrawlName {
  /** What was heard lately. A change that was seen first after one of them is put down to it. */
  readonly deeds: readonly ClaimedDeed[];
  /** The fencing token of the leader that made it (S2), and who that is. */
  readonly term: number;
  readonly writer: string;
  readonly atWallMs: number;
  /**
   * Rows of all its pages. A history that has kept another number has lost some: it writes nothing.
   */
  readonly rows: number;
  /** Every page came. */
  readonly isComplete: boolean;
  /** Why not every page came. Empty: they did. */
  readonly detail: string;
  /** Crawls that are no further apart than this follow one another without a gap. */
  readonly gapMs: number;
}

export type CrawlOutcome = 'complete' | 'partial' | 'refused';

export interface CrawlReport {
  readonly outcome: CrawlOutcome;
  /** Why it is not complete. Empty: it is. */
  readonly detail: string;
  readonly seen: number;
  readonly opened: number;
  readonly changed: number;
  readonly gone: number;
  /** Not seen now, and not taken for gone yet. */
  readonly missed: number;
}

/** Which versions are meant. Moments are wall clock, ms; ranges hold their beginning only. */
export type Span =
  /** The one that was valid then. Null: the current one. */
  | { readonly kind: 'at'; readonly atWallMs: number | null }
  /** Every one that was valid at any moment of the range. */
  | { readonly kind: 'valid'; readonly fromWallMs: number; readonly toWallMs: number }
  /** Every one that began in the range, and those whose resource was gone in it. */
  | { readonly kind: 'changed'; readonly fromWallMs: number; readonly toWallMs: number };

export interface HistoryQuery {
  readonly kind: string;
  /** Null: any. */
  readonly id: string | null;
  readonly span: Span;
  readonly where: readonly Condition[];
  /** `next` of the page before. Null: the first page. */
  readonly after: string | null;
  readonly limit: number;
}

export interface DifferenceQuery {
  readonly kind: string;
  readonly id: string | null;
  readonly fromWallMs: number;
  readonly toWallMs: number;
  /** They have to hold before or after. */
  readonly where: readonly Condition[];
  readonly after: string | null;
  readonly limit: number;
}

export interface VersionsPage {
  readonly versions: readonly Version[];
  /**
   * For `after`. Null: there is nothing more. A page ends early, also without any version, where it
   * is large, or where much was read for it.
   */
  readonly next: string | null;
}

/** What became of a resource between two moments. */
export interface ResourceDifference {
  readonly kind: string;
  readonly id: string;
  readonly change: 'appeared' | 'gone' | 'changed';
  /** Null: it was not there then. */
  readonly before: Version | null;
  readonly after: Version | null;
  readonly fields: readonly FieldChange[];
}

export interface DifferencesPage {
  readonly differences: readonly ResourceDifference[];
  readonly next: string | null;
}

/** Crawls followed one another without a gap. */
export interface CoveredSpan {
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** What is known of one kind. */
export interface KindStanding {
  readonly kind: string;
  readonly current: number;
  readonly versions: number;
  /** Null: none was made yet. */
  readonly lastCrawlWallMs: number | null;
  readonly lastCompleteWallMs: number | null;
  readonly outcome: CrawlOutcome | null;
  readonly detail: string;
  /** When somebody looked, the newest first. Between them nobody did. */
  readonly covered: readonly CoveredSpan[];
}

export interface HistoryStanding {
  readonly kinds: readonly KindStanding[];
  readonly sizeBytes: number;
}

export interface Retention {
  /** Versions that ended longer ago than this go. */
  readonly keptMs: number;
  /** So many ended versions are kept at most, the newest. */
  readonly versionsMax: number;
}

export interface Compacted {
  readonly removed: number;
  /** There may be more to remove: it is to be called again. */
  readonly isMore: boolean;
}

/** The leader for whom is written. */
export interface Writing {
  readonly term: number;
  readonly writer: string;
}

/**
 * Every version of every resource that crawls have seen. Implementations answer alike; one contract
 * suite tests them all.
 *
 * **S** Nothing is written for a leader once a later one has written: the term is compared in the
 * transaction that writes.
 */
export interface InventoryHistory {
  /** Keeps a page of a crawl until {@link finish}. Nothing is written. */
  page(crawl: CrawlName, scope: string, rows: readonly Raw[]): Promise<void>;
  /**
   * Writes what the crawl changes, in one transaction, and forgets its pages. Idempotent: the same
   * pages once more change nothing.
   * @throws INVENTORY_SUPERSEDED, INVENTORY_STORE_UNAVAILABLE
   */
  finish(crawl: FinishedCrawl): Promise<CrawlReport>;
  /** Forgets the pages of a crawl that is not finished. */
  drop(crawl: CrawlName): Promise<void>;
  /** @throws INVENTORY_QUERY_INVALID, INVENTORY_QUERY_SLOW, INVENTORY_STORE_UNAVAILABLE */
  versions(query: HistoryQuery): Promise<VersionsPage>;
  /**
   * The version of a resource that was valid then (null: the current one).
   * @throws INVENTORY_GONE where it was known before and was not there then; INVENTORY_UNKNOWN
   */
  version(kind: string, id: string, atWallMs: number | null): Promise<Version>;
  /** @throws as {@link versions} */
  differences(query: DifferenceQuery): Promise<DifferencesPage>;
  standing(): Promise<HistoryStanding>;
  /**
   * Removes ended versions that retention releases, so many at a time. Current versions stay,
   * however old they are.
   * @throws INVENTORY_SUPERSEDED
   */
  compact(retention: Retention, by: Writing, nowWallMs: number): Promise<Compacted>;
  close(): Promise<void>;
}
