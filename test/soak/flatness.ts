/**
 * Judges whether a series is flat: a robust slope over its second half, an allowance that is
 * written down, and three possible answers.
 */

export interface Point {
  /** Time since the run began. */
  readonly atMs: number;
  readonly value: number;
}

/** How much a series may rise over the half that is judged. The larger of the two counts. */
export interface Allowance {
  /** Share of the median of that half. */
  readonly share: number;
  /** In the measure's own unit: what noise alone can do. */
  readonly floor: number;
}

export type Verdict = 'flat' | 'growing' | 'too short';

export interface Judgement {
  readonly verdict: Verdict;
  /** Robust slope of the judged half. 0 when it is too short. */
  readonly slopePerHour: number;
  /** Slope × length of the judged half. */
  readonly growth: number;
  readonly allowed: number;
  readonly judgedMs: number;
}

const HOUR_MS = 3_600_000;
/** Fewer points say nothing. */
const POINTS_MIN = 8;
/** More points say no more, and cost their square. */
const POINTS_MAX = 240;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** Every n-th point, so that at most {@link POINTS_MAX} remain. */
function thinned(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / POINTS_MAX);
  return step <= 1 ? points : points.filter((_, index) => index % step === 0);
}

/**
 * Median of the slopes of all pairs of points (Theil 1950, Sen 1968), per ms. Up to 29 % of the
 * points may be outliers (a collection of garbage, a burst of recoveries) without moving it far.
 */
export function robustSlope(points: readonly Point[]): number {
  const few = thinned(points);
  const slopes = few.flatMap((a, index) =>
    few.slice(index + 1).flatMap((b) => (b.atMs > a.atMs ? [(b.value - a.value) / (b.atMs - a.atMs)] : [])),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}

const spanMs = (points: readonly Point[]): number => (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0);

/**
 * Judges the second half of one series. `growing`: slope × length of that half is above the
 * allowance. `too short`: the series covers less than `shortestMs`, or its second half has fewer
 * than 8 points. A falling series is flat.
 */
export function judge(points: readonly Point[], allowance: Allowance, shortestMs: number): Judgement {
  const from = (points[0]?.atMs ?? 0) + spanMs(points) / 2;
  const half = points.filter((point) => point.atMs >= from);
  const judgedMs = spanMs(half);
  const allowed = Math.max(allowance.floor, allowance.share * median(half.map((point) => point.value)));
  if (spanMs(points) < shortestMs || half.length < POINTS_MIN)
    return { verdict: 'too short', slopePerHour: 0, growth: 0, allowed, judgedMs };
  const slope = robustSlope(half);
  const growth = slope * judgedMs;
  return { verdict: growth > allowed ? 'growing' : 'flat', slopePerHour: slope * HOUR_MS, growth, allowed, judgedMs };
}
