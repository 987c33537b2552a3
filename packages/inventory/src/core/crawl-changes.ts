import { change, type Closing, type CrawlMoment } from './change.ts';
import { type CrawlCounts, doubtOf } from './crawl-doubt.ts';
import type { Missed, OpenVersion, SeenResource } from './version.ts';

/** What is kept of the crawls of one kind. */
export interface KindState {
  readonly lastAtWallMs: number;
  readonly lastCompleteWallMs: number | null;
  /** Answers in a row that were not believed. */
  readonly refusedCount: number;
}

export const NO_CRAWL: KindState = { lastAtWallMs: 0, lastCompleteWallMs: null, refusedCount: 0 };

/** What a crawl has to write. */
export interface CrawlChanges {
  readonly atWallMs: number;
  readonly state: KindState;
  /** Why nothing of it is used. Null: it is. */
  readonly refusal: string | null;
  readonly opened: readonly SeenResource[];
  readonly closed: readonly { readonly open: OpenVersion; readonly closing: Closing }[];
  readonly missed: readonly { readonly open: OpenVersion; readonly missed: Missed }[];
  readonly found: readonly OpenVersion[];
}

export interface CrawlSeen {
  readonly atWallMs: number;
  /** Every page came. */
  readonly isComplete: boolean;
  readonly resources: ReadonlyMap<string, SeenResource>;
}

/** What a crawl of one kind changes in what is known. */
export function crawlChanges(open: ReadonlyMap<string, OpenVersion>, seen: CrawlSeen, state: KindState): CrawlChanges {
  // A wall clock may step back. Versions follow one another all the same.
  const atWallMs = Math.max(seen.atWallMs, state.lastAtWallMs + 1);
  const { refusal, missesNeeded } = doubtOf(countsOf(open, seen.resources), state.refusedCount);
  const nothing = { atWallMs, refusal, opened: [], closed: [], missed: [], found: [] };
  if (refusal !== null)
    return { ...nothing, state: { ...state, lastAtWallMs: atWallMs, refusedCount: state.refusedCount + 1 } };
  const { lastCompleteWallMs } = state;
  const moment: CrawlMoment = { atWallMs, lastCompleteWallMs, isComplete: seen.isComplete, missesNeeded };
  return {
    ...changesAt(open, seen.resources, moment),
    ...{ atWallMs, refusal },
    state: {
      lastAtWallMs: atWallMs,
      lastCompleteWallMs: seen.isComplete ? atWallMs : lastCompleteWallMs,
      refusedCount: 0,
    },
  };
}

function changesAt(
  open: ReadonlyMap<string, OpenVersion>,
  seen: ReadonlyMap<string, SeenResource>,
  moment: CrawlMoment,
): Pick<CrawlChanges, 'opened' | 'closed' | 'missed' | 'found'> {
  const opened: SeenResource[] = [];
  const closed: { open: OpenVersion; closing: Closing }[] = [];
  const missed: { open: OpenVersion; missed: Missed }[] = [];
  const found: OpenVersion[] = [];
  for (const id of new Set([...open.keys(), ...seen.keys()])) {
    const [known, resource] = [open.get(id) ?? null, seen.get(id) ?? null];
    const what = change(known, resource, moment);
    if (resource !== null && (what.kind === 'opened' || what.kind === 'replaced')) opened.push(resource);
    if (known === null) continue;
    if (what.kind === 'replaced' || what.kind === 'gone') closed.push({ open: known, closing: what.closing });
    if (what.kind === 'missed') missed.push({ open: known, missed: what.missed });
    if (what.kind === 'found-again') found.push(known);
  }
  return { opened, closed, missed, found };
}

function countsOf(open: ReadonlyMap<string, OpenVersion>, seen: ReadonlyMap<string, SeenResource>): CrawlCounts {
  const counts = { known: open.size, absent: 0, taggedBefore: 0, untaggedNow: 0 };
  for (const [id, known] of open) {
    const now = seen.get(id);
    if (now === undefined) counts.absent += 1;
    else if (known.isTagged) {
      counts.taggedBefore += 1;
      if (!now.isTagged) counts.untaggedNow += 1;
    }
  }
  return counts;
}
