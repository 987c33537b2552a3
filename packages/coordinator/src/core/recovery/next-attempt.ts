import type { HoldReason } from '@understudy/shared';
import type { AttemptFailure } from './launch-outcome.ts';

/** An attempt that was ended and whose permit is confirmed gone. */
export interface EndedAttempt {
  readonly round: number;
  readonly candidateIndex: number;
  readonly failure: AttemptFailure;
  readonly text: string;
}

export type NextAttempt =
  | {
      readonly kind: 'attempt';
      readonly round: number;
      readonly candidateIndex: number;
      readonly pauseFirst: boolean;
    }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly text: string };

/**
 * The placement of the next attempt: the candidates in their order, round and round, without those EC2 will never accept; a pause before a
 * candidate is asked again that had no capacity; never more than `maxAttempts` in one round. A new round begins only when a person has removed
 * the hold that ended the last one (`retryAsked`).
 */
export function nextAttempt(
  all: readonly EndedAttempt[],
  limits: { readonly candidateCount: number; readonly maxAttempts: number; readonly retryAsked: boolean },
): NextAttempt {
  const round = all.at(-1)?.round ?? 1;
  const next = nextInRound(
    all.filter((one) => one.round === round),
    round,
    limits,
  );
  if (next.kind === 'hold' && limits.retryAsked) {
    return { kind: 'attempt', round: round + 1, candidateIndex: 0, pauseFirst: false };
  }
  return next;
}

function nextInRound(
  ended: readonly EndedAttempt[],
  round: number,
  { candidateCount, maxAttempts }: { readonly candidateCount: number; readonly maxAttempts: number },
): NextAttempt {
  const last = ended.at(-1);
  if (!last) return { kind: 'attempt', round, candidateIndex: 0, pauseFirst: false };
  if (ended.length >= maxAttempts) {
    return {
      kind: 'hold',
      reason: 'LaunchAttemptsExhausted',
      text: `${ended.length} of ${maxAttempts} launch attempts failed; the last: ${last.text}. Remove this hold to try again`,
    };
  }
  const unusable = new Set(ended.filter((one) => one.failure === 'placement').map((one) => one.candidateIndex));
  for (let step = 1; step <= candidateCount; step += 1) {
    const candidateIndex = (last.candidateIndex + step) % candidateCount;
    if (unusable.has(candidateIndex)) continue;
    const pauseFirst = ended.some((one) => one.candidateIndex === candidateIndex && one.failure === 'capacity');
    return { kind: 'attempt', round, candidateIndex, pauseFirst };
  }
  return {
    kind: 'hold',
    reason: 'NoPlacementLeft',
    text: `EC2 refuses all ${candidateCount} placement candidates; the last: ${last.text}. Remove this hold to try again`,
  };
}
