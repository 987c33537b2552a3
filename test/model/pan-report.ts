import { ASSERTIONS } from './assertions.ts';
import type { Configuration } from './configurations.ts';

/** The part of the verifier's output that matters. */
export interface PanReport {
  /** Distinct states that were stored. 0 when it never got that far. */
  readonly states: number;
  /** Null: there is no such line, so the search did not end in its own way. */
  readonly errors: number | null;
  /** Text of the assertion that failed. */
  readonly violated: string | null;
  /** Why the search did not see everything. Null: it did. */
  readonly incomplete: string | null;
}

/** Each of these texts, anywhere, means that states may be missing (pan's own words). */
const INCOMPLETE =
  /max search depth too small|MEMLIM bound|out of memory|hash table .*full|stack .*overflow|Search not completed/i;

/** Reads the output of `pan`, Spin 6. */
export function readPanReport(output: string): PanReport {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = /^\s*([\d.e+]+) states, stored/m.exec(output)?.[1];
  const violated = /assertion violated\s+(.*?)\s*\(at depth/.exec(output)?.[1];
  return {
    states: states === undefined ? 0 : Number(states),
    errors: errors === undefined ? null : Number(errors),
    violated: violated ?? null,
    incomplete: INCOMPLETE.exec(output)?.[0] ?? (errors === undefined ? 'the search did not end' : null),
  };
}

export type Found =
  | { readonly kind: 'holds' | 'counterexample' }
  /** Neither proof nor the counterexample that was asked for. */
  | { readonly kind: 'nothing'; readonly why: string };

/**
 * An incomplete search is no proof. A failure of another assertion than the intended one is no
 * counterexample.
 */
export function judge(configuration: Configuration, report: PanReport): Found {
  if (report.errors !== null && report.errors > 0) return judgeViolation(configuration, report.violated);
  if (report.incomplete !== null) return { kind: 'nothing', why: report.incomplete };
  if (report.states === 0) return { kind: 'nothing', why: 'no state was stored' };
  return { kind: 'holds' };
}

function judgeViolation({ properties }: Configuration, violated: string | null): Found {
  if (violated === null) return { kind: 'nothing', why: 'an error that is no assertion' };
  const texts = properties.map((property) => ASSERTIONS[property]);
  const plain = violated.replace(/^\((.*)\)$/, '$1');
  if (texts.some((text) => text === plain)) return { kind: 'counterexample' };
  return { kind: 'nothing', why: `another assertion failed: ${violated}` };
}
