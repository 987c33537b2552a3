import { type HoldReason, WAYS_OUT, type WallMs } from '@understudy/shared';
import type { Assessment } from './evidence.ts';
import type { GateResult, GuardAnswer } from './guard-input.ts';

/** What follows from verdict and gates. */
export type Decision =
  /**
   * The verdict does not call for a replacement. `text` says what the gates would answer if it did.
   */
  | { readonly kind: 'none'; readonly text: string }
  | { readonly kind: 'replace'; readonly text: string }
  | {
      readonly kind: 'hold';
      readonly reason: HoldReason;
      readonly text: string;
      readonly untilWallMs: number | null;
    };

export interface Explanation {
  readonly decision: Decision;
  /** All gates, also when nobody needs to ask. */
  readonly gates: readonly GateResult[];
  /**
   * What would change verdict or decision, in order: evidence first, then each gate that refuses.
   */
  readonly wouldFlip: readonly string[];
}

/** A refusal after the guard had agreed: no plan could be made, or EC2 said no. */
export interface LateRefusal {
  readonly reason: HoldReason;
  readonly text: string;
  readonly untilWallMs: number | null;
}

/**
 * Puts a verdict and every gate into words. It decides nothing: `answer` is the guard's, on the
 * same evidence. `held`: what a member without a verdict to act on is held for.
 */
export function explain(
  assessment: Assessment,
  answer: GuardAnswer,
  refused: LateRefusal | null,
  held: LateRefusal | null = null,
): Explanation {
  const refusing = answer.gates.filter((one) => !one.passes);
  const { gates } = answer;
  if (assessment.reasonCode === 'TwoAgents') {
    const decision = { kind: 'hold', reason: 'TwoAgents', text: assessment.reason, untilWallMs: null } as const;
    return { decision, gates, wouldFlip: assessment.wouldChange };
  }
  if (!assessment.act && held) {
    const wouldFlip = [...assessment.wouldChange, `hold ${held.reason}: ${WAYS_OUT[held.reason].act}`];
    return { decision: { kind: 'hold', ...held }, gates, wouldFlip };
  }
  if (!assessment.act) {
    const would = answer.kind === 'go' ? 'every gate would let it be replaced' : `${answer.reason} would hold it`;
    const text = `Nothing to do. If the verdict called for a replacement now, ${would}.`;
    return { decision: { kind: 'none', text }, gates, wouldFlip: assessment.wouldChange };
  }
  return {
    decision: decided(answer, refused),
    gates,
    wouldFlip: [
      ...assessment.wouldChange,
      ...refusing.map((one) => `gate ${one.gate}: ${one.value}; wanted: ${one.limit}${untilText(one.untilWallMs)}`),
    ],
  };
}

function decided(answer: GuardAnswer, refused: LateRefusal | null): Decision {
  if (answer.kind === 'hold') {
    const { reason, text, untilWallMs } = answer;
    return { kind: 'hold', reason, text, untilWallMs };
  }
  if (refused) return { kind: 'hold', ...refused };
  return { kind: 'replace', text: 'Every gate lets it be replaced: a recovery begins.' };
}

const untilText = (untilWallMs: WallMs | null): string =>
  untilWallMs === null ? '' : `, which is so from ${new Date(untilWallMs).toISOString()} on`;
