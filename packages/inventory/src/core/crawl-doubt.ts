/** What is counted to tell a good answer from one that AWS gives under load. */
export interface CrawlCounts {
  /** Resources with a current version. */
  readonly known: number;
  /** How many of those this crawl did not see. */
  readonly absent: number;
  /** Resources that are known with tags, and that this crawl saw. */
  readonly taggedBefore: number;
  /** How many of those came without any tag. */
  readonly untaggedNow: number;
}

export interface Doubt {
  /** Nothing of the crawl is used. Null: it may be. */
  readonly refusal: string | null;
  /** How many complete crawls in a row have to miss a resource until it counts as gone. */
  readonly missesNeeded: number;
}

/** One crawl may have been made while a listing lagged. */
const MISSES = 2;
/** A landslide is more often a fault of the answer than of the fleet. */
const MISSES_IN_A_LANDSLIDE = 5;
/** Below so many resources, half of them is no landslide. */
const LANDSLIDE_FROM = 10;
/** Tags that are gone from everything for so many crawls were taken off by somebody. */
const REFUSALS_MAX = 5;
const TAGLESS_FROM = 5;

/**
 * How far an answer is believed. Under load AWS has left out the tags of all resources, silently:
 * such an answer is no news about anything, and is thrown away. That more than half of what is
 * known is absent has to be seen more often than usual.
 */
export function doubtOf({ known, absent, taggedBefore, untaggedNow }: CrawlCounts, refusedBefore: number): Doubt {
  const isTagless = taggedBefore >= TAGLESS_FROM && untaggedNow * 2 > taggedBefore;
  const isLandslide = known >= LANDSLIDE_FROM && absent * 2 > known;
  return {
    refusal:
      isTagless && refusedBefore < REFUSALS_MAX
        ? `${untaggedNow} of ${taggedBefore} resources with tags came without any`
        : null,
    missesNeeded: isLandslide ? MISSES_IN_A_LANDSLIDE : MISSES,
  };
}
