import { type Failure, nonceOf, replay } from './episode.ts';
import type { Finding, Step } from './step.ts';

const RUNS_MAX = 400;

/**
 * Two findings are alike when their words are, up to numbers. With steps left out the oracle may
 * know less and complain of something else.
 */
const gist = ({ invariant, text }: Finding): string => `${invariant} ${text.split('\n')[0]?.replaceAll(/\d+/g, '#')}`;

/**
 * Leaves out steps, halves first, then smaller pieces, as long as the same invariant still breaks.
 */
export async function shrink({ spec, finding, steps }: Failure): Promise<readonly Step[]> {
  let kept = steps;
  let runs = 0;
  for (
    let size = Math.ceil(steps.length / 2);
    size >= 1 && runs < RUNS_MAX;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < kept.length && runs < RUNS_MAX; ) {
      const without = [...kept.slice(0, from), ...kept.slice(from + size)];
      runs++;
      const found = without.length > 0 ? await replay(spec.side, nonceOf(spec), without) : null;
      if (found && gist(found) === gist(finding)) kept = without;
      else from += size;
    }
  }
  return kept;
}
