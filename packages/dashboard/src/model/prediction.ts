import type { HistoryRecord, OpenRecoveryView } from '@understudy/shared/browser';
import { groupOf } from './fleet.ts';
import { spanText } from './times.ts';

/** When an open recovery will probably end, and what says so. */
export interface Prediction {
  /** Null: nothing to go by. */
  readonly endsAtWallMs: number | null;
  /** It takes longer than what is gone by. */
  readonly overdue: boolean;
  /** One sentence for people. */
  readonly text: string;
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]];
  return (low + high) / 2;
};

/** `launch-2` took as long as `launch-1` may: attempts of a step are compared with each other. */
const kindOf = (step: string): string => step.replace(/-\d+$/, '');

/** From the beginning of each step to the end of that recovery, in ms. */
function remainders(past: HistoryRecord, step: string): readonly number[] {
  return past.steps
    .filter((one) => kindOf(one.step) === kindOf(step))
    .map((one) => past.endedAtWallMs - one.startedAtWallMs)
    .filter((each) => each >= 0)
    .slice(-1);
}

/** The narrowest set of past recoveries that has any. */
function alike(
  open: OpenRecoveryView,
  history: readonly HistoryRecord[],
): { past: readonly HistoryRecord[]; of: string } {
  const replaced = history.filter(({ outcome, leftAs }) => outcome === 'replaced' && (leftAs ?? []).length === 0);
  const group = groupOf(open.member);
  const [sameMember, sameGroup] = [
    replaced.filter(({ member }) => member === open.member),
    replaced.filter(({ member }) => groupOf(member) === group),
  ];
  if (sameMember.length > 0) return { past: sameMember, of: open.member };
  if (sameGroup.length > 0) return { past: sameGroup, of: `group ${group}` };
  return { past: replaced, of: 'this cluster' };
}

/**
 * Predicts from how long earlier recoveries took from the newest step that runs here until their
 * end. It is a guess, so it says from what; without earlier recoveries there is none.
 */
export function predictedEnd(open: OpenRecoveryView, history: readonly HistoryRecord[], nowWallMs: number): Prediction {
  const { past, of } = alike(open, history);
  const unknown = (why: string): Prediction => ({ endsAtWallMs: null, overdue: false, text: `End not known: ${why}.` });
  if (open.hold) return unknown('it is held');
  if (past.length === 0) return unknown('no earlier recovery to go by');
  const basis = `median of ${past.length} earlier ${past.length === 1 ? 'recovery' : 'recoveries'} of ${of}`;
  const newest = open.steps.toSorted((one, other) => other.startedAtWallMs - one.startedAtWallMs);
  for (const { step, startedAtWallMs } of newest) {
    const left = past.flatMap((each) => remainders(each, step));
    if (left.length > 0) return predicted(startedAtWallMs + median(left), basis, nowWallMs);
  }
  const whole = median(past.map((each) => each.endedAtWallMs - each.startedAtWallMs));
  return predicted(open.startedAtWallMs + whole, basis, nowWallMs);
}

function predicted(endsAtWallMs: number, basis: string, nowWallMs: number): Prediction {
  const leftMs = endsAtWallMs - nowWallMs;
  if (leftMs < 0) return { endsAtWallMs, overdue: true, text: `Takes ${spanText(-leftMs)} longer than the ${basis}.` };
  return { endsAtWallMs, overdue: false, text: `Ends in about ${spanText(leftMs)} (${basis}).` };
}
