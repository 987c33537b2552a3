import { plain, type TriedMutant } from './report.ts';

/**
 * A mutant that no test can kill, because nothing visible changes. It is found by content, as line
 * numbers do not last.
 */
export interface Equivalent {
  /** Path from the project's root. */
  readonly file: string;
  /** Part of the line the mutant begins on. */
  readonly on: string;
  /** The mutated part. Needed where a line has several parts with the same replacement. */
  readonly original?: string;
  /** The replacement. Absent: any mutant on that line. */
  readonly replacement?: string;
  /** The argument, for readers who doubt it. */
  readonly why: string;
}

export interface Score {
  readonly killed: number;
  /** Killed, survived, or reached by no test. */
  readonly counted: number;
  /** 0 to 100; 100 where there is nothing to kill. */
  readonly percent: number;
  readonly survivors: readonly TriedMutant[];
  readonly equivalents: number;
  /** Mutants that did not load. */
  readonly void: number;
}

const fits = (one: Equivalent, mutant: TriedMutant): boolean =>
  mutant.file === one.file &&
  mutant.context.includes(plain(one.on)) &&
  (one.original === undefined || plain(one.original) === mutant.original) &&
  (one.replacement === undefined || plain(one.replacement) === mutant.replacement);

/** The worth of the tests: the share of killed mutants among all that could be killed. */
export function scoreOf(tried: readonly TriedMutant[], equivalents: readonly Equivalent[]): Score {
  const alive = tried.filter(({ outcome }) => outcome === 'survived' || outcome === 'uncovered');
  const survivors = alive.filter((mutant) => !equivalents.some((one) => fits(one, mutant)));
  const killed = tried.filter(({ outcome }) => outcome === 'killed').length;
  const counted = killed + survivors.length;
  return {
    killed,
    counted,
    percent: counted === 0 ? 100 : (100 * killed) / counted,
    survivors,
    equivalents: alive.length - survivors.length,
    void: tried.filter(({ outcome }) => outcome === 'void').length,
  };
}

/**
 * Listed, but no mutant that was tried in its file fits it any more. The code has changed, and the
 * argument with it.
 */
export const staleEquivalents = (
  tried: readonly TriedMutant[],
  equivalents: readonly Equivalent[],
): readonly Equivalent[] => {
  const files = new Set(tried.map(({ file }) => file));
  return equivalents.filter((one) => files.has(one.file) && !tried.some((mutant) => fits(one, mutant)));
};
