import type { PreparedView } from './api/plan.ts';
import { durationText } from './duration-text.ts';

/** What is prepared, and what may be, in a sentence for people. */
export function preparedText({ now, makes, limits }: PreparedView): string {
  const { atOnce, open, perDay, today, keptForMs, spend } = limits;
  const would =
    makes.length === 0
      ? 'nothing that the policy names is of use to this plan'
      : `${makes.join(' and ')}, kept for ${durationText(keptForMs)} at most`;
  const counts = `${open} of ${atOnce} at once, ${today} of ${perDay} in 24 h in the group`;
  const of = spend === undefined ? counts : `${counts}, ${spendText(spend)}`;
  return `${now === null ? '' : `${now}; `}for a suspect: ${would} (${of})`;
}

function spendText({ perDay, today, next }: NonNullable<PreparedView['limits']['spend']>): string {
  const own = next === null || next === 0 ? '' : `; this one at most ${next}`;
  return `at most ${today} of ${perDay} spent${own}`;
}
