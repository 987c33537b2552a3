import type { Missed, OpenVersion, SeenResource, VersionEnd } from './version.ts';

/** A crawl of one kind, as far as it decides what changed. */
export interface CrawlMoment {
  /** When it was made. It is later than every crawl before it. */
  readonly atWallMs: number;
  /** The crawl before it that was complete. Null: there was none. */
  readonly lastCompleteWallMs: number | null;
  /**
   * Every page came, and nothing speaks against the answer. Only then does it mean something that a
   * resource is not there.
   */
  readonly isComplete: boolean;
  /** How many complete crawls in a row have to miss a resource until it counts as gone. */
  readonly missesNeeded: number;
}

/** How a version ends. */
export interface Closing {
  readonly validToWallMs: number;
  readonly lastSeenWallMs: number;
  readonly end: VersionEnd;
}

/** What a crawl makes of one resource. */
export type Change =
  | { readonly kind: 'none' }
  | { readonly kind: 'opened' }
  | { readonly kind: 'replaced'; readonly closing: Closing }
  | { readonly kind: 'found-again' }
  | { readonly kind: 'missed'; readonly missed: Missed }
  | { readonly kind: 'gone'; readonly closing: Closing };

/**
 * What became of a resource between its current version (null: it has none) and what a crawl saw of
 * it (null: nothing).
 *
 * Absence is no termination: listings lag, pages are lost, and rights are taken away. A resource is
 * gone when as many complete crawls in a row have missed it as are needed, or at once where it had
 * itself said that it is over. It is gone since the first crawl that missed it.
 */
export function change(open: OpenVersion | null, seen: SeenResource | null, crawl: CrawlMoment): Change {
  if (seen === null) return open === null ? { kind: 'none' } : absence(open, crawl);
  if (open === null) return { kind: 'opened' };
  if (open.digest !== seen.digest)
    return {
      kind: 'replaced',
      closing: { validToWallMs: crawl.atWallMs, lastSeenWallMs: lastSeen(open, crawl), end: 'changed' },
    };
  return open.missed === null ? { kind: 'none' } : { kind: 'found-again' };
}

function absence(open: OpenVersion, crawl: CrawlMoment): Change {
  if (!crawl.isComplete) return { kind: 'none' };
  const before = open.missed ?? { count: 0, sinceWallMs: crawl.atWallMs, lastSeenWallMs: lastSeen(open, crawl) };
  const missed = { ...before, count: before.count + 1 };
  if (!open.hasEnded && missed.count < crawl.missesNeeded) return { kind: 'missed', missed };
  const { sinceWallMs: validToWallMs, lastSeenWallMs } = missed;
  return { kind: 'gone', closing: { validToWallMs, lastSeenWallMs, end: 'gone' } };
}

/** What no crawl has missed was seen by the last complete one, or by the one that opened it. */
const lastSeen = ({ missed, validFromWallMs }: OpenVersion, { lastCompleteWallMs }: CrawlMoment): number =>
  missed?.lastSeenWallMs ?? Math.max(validFromWallMs, lastCompleteWallMs ?? validFromWallMs);
