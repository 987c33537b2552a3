import {
  type HistoryRecord,
  type InstanceState,
  type IntentRecord,
  isUndo,
  type JournalRecord,
  type LateStart,
} from '@understudy/shared';
import { LATE_CALL_MS } from '../late-calls.ts';

/**
 * What a closed undo owes that did not come about: its Start of the retired instance may land yet.
 * Any begun `bringback` counts, whatever is known of its calls: a leader that died may have sent
 * one. {}: there was none.
 */
export function lateStartOf(
  { plan }: Pick<IntentRecord, 'plan'>,
  records: readonly Pick<JournalRecord, 'step'>[],
  endedAtWallMs: number,
): Pick<HistoryRecord, 'lateStart'> {
  if (!isUndo(plan) || !records.some((one) => one.step === 'bringback')) return {};
  return { lateStart: { instanceId: plan.undo.instanceId, untilWallMs: endedAtWallMs + LATE_CALL_MS } };
}

/** What has been seen of the instance. */
export interface LateStartSeen {
  /** Null: EC2 does not show it: it was ended long ago, or a look has missed it. */
  readonly state: InstanceState | null;
  /** An activation names it, of whatever member. */
  readonly isInCharge: boolean;
  /** It still has the mark of a retired instance, and the tags of the member. */
  readonly isRetired: boolean;
  /** A recovery of the member is open, which may be about to start it, or is at work beside it. */
  readonly isRecovering: boolean;
  readonly nowWallMs: number;
}

/** How long a Stop is given to show, ms. */
const STOP_AGAIN_MS = 30_000;

/**
 * What is to be done about it now. **S** (S30) Nobody stops an instance that is in charge of any
 * member, that an open recovery of the member may put in charge, or that somebody has given away.
 */
export function lateStartMove(late: LateStart, seen: LateStartSeen): 'nothing' | 'stop' | 'settle' {
  const { state, isInCharge, isRetired, isRecovering, nowWallMs } = seen;
  if (late.settledAtWallMs !== undefined) return 'nothing';
  if (isInCharge) return 'settle';
  if (isRecovering) return 'nothing';
  if (state === 'running' || state === 'pending') return isRetired ? stopIfDue(late, nowWallMs) : 'settle';
  const isAtRest = state === 'stopped' || state === 'terminated';
  const overAtWallMs = late.untilWallMs + (state === null ? LATE_CALL_MS : 0);
  return (isAtRest || state === null) && nowWallMs >= overAtWallMs ? 'settle' : 'nothing';
}

const stopIfDue = ({ stoppedAtWallMs = 0 }: LateStart, nowWallMs: number): 'stop' | 'nothing' =>
  nowWallMs - stoppedAtWallMs >= STOP_AGAIN_MS ? 'stop' : 'nothing';

/** Still owed. */
export const openLateStartOf = ({ lateStart }: Pick<HistoryRecord, 'lateStart'>): LateStart | null =>
  lateStart && lateStart.settledAtWallMs === undefined ? lateStart : null;
