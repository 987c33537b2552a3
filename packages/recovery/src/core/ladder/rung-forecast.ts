import type { HistoryRecord } from '@understudy/shared';
import { roughly } from '../predict/duration.ts';

/** What a way would take and lose, by its plan. */
export interface RungForecast {
  /** Until the member serves again, where it helps, as it usually goes; ms. */
  readonly backAfterMs: number;
  /** On a bad day; ms. */
  readonly slowMs: number;
  /** How long it may take until the next way is taken; ms. Null: it is not given up by itself. */
  readonly deadlineMs: number | null;
  /** Codes of what is lost that was written somewhere. Empty: nothing is. */
  readonly dataLosses: readonly string[];
}

/** How often a way has led back in a group, and how often not. */
export interface RungTries {
  readonly helped: number;
  readonly failed: number;
}

/** Fewer tell nothing of the next one. */
const TRIES_MIN = 3;
/** What was longer ago says little: what was wrong then may be mended. */
const COUNTS_FOR_MS = 2_592_000_000;

type Ended = Pick<HistoryRecord, 'strategy' | 'outcome' | 'endedAtWallMs'>;

/** By strategy. What a person has ended, or put back, says nothing. Pure. */
export function rungTries(history: Iterable<Ended>, nowWallMs: number): ReadonlyMap<string, RungTries> {
  const found = new Map<string, RungTries>();
  for (const { strategy = 'snapshot-and-replace', outcome, endedAtWallMs } of history) {
    const hasHelped = outcome === 'mended' || outcome === 'replaced';
    if (!(hasHelped || outcome === 'not-mended') || nowWallMs - endedAtWallMs > COUNTS_FOR_MS) continue;
    const { helped, failed } = found.get(strategy) ?? { helped: 0, failed: 0 };
    found.set(strategy, { helped: helped + (hasHelped ? 1 : 0), failed: failed + (hasHelped ? 0 : 1) });
  }
  return found;
}

const losesNoMoreThan = (next: RungForecast, rung: RungForecast): boolean =>
  next.dataLosses.every((code) => rung.dataLosses.includes(code));

/**
 * Why a way is not worth trying before the next one that fits; null: it is. Data comes first: no
 * way is left out for one that loses more. Then time: a way that takes longer, its deadline
 * included as often as it has failed here, than what it spares. Pure.
 */
export function notWorthIt(rung: RungForecast, next: RungForecast, tries: RungTries | undefined): string | null {
  if (!losesNoMoreThan(next, rung)) return null;
  if (rung.backAfterMs > next.slowMs)
    return `it takes about ${roughly(rung.backAfterMs)}, and the next way ${roughly(next.slowMs)} on a bad day`;
  const { helped, failed } = tries ?? { helped: 0, failed: 0 };
  const count = helped + failed;
  if (count < TRIES_MIN) return null;
  if (helped === 0) return `it has not helped once in ${count} tries in this group`;
  const share = helped / count;
  const costsMs = share * rung.backAfterMs + (1 - share) * (rung.deadlineMs ?? 0);
  const sparesMs = share * next.backAfterMs;
  if (costsMs <= sparesMs) return null;
  return `it has helped in ${helped} of ${count} tries in this group: trying it costs ${roughly(costsMs)} on average, and spares ${roughly(sparesMs)}`;
}
