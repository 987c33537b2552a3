import {
  type HoldRecord,
  type IntentRecord,
  isUndo,
  type JournalRecord,
  type OpenRecoveryView,
  type OpenStepView,
  type PendingRequest,
} from '@understudy/shared';
import { rungViews } from '../leader/rung-views.ts';
import { volumeViews } from '../leader/told-plan.ts';
import { journalFacts, readStepId, type RecoveryActivity, type StepActivity } from '@understudy/recovery';

export interface OpenRecoverySources {
  readonly intent: IntentRecord;
  readonly journal: readonly JournalRecord[];
  /** Null: it is not running in this process. */
  readonly activity: RecoveryActivity | null;
  readonly hold: HoldRecord | null;
  /** What an operator asked for its member. Null: nothing. */
  readonly request: PendingRequest | null;
}

/** `launch-2` belongs to attempt 2, `fence` to none. */
const attemptOf = (step: string): number | null => readStepId(step).attempt || null;

const recorded = (record: JournalRecord, now: StepActivity | undefined): OpenStepView => ({
  step: record.step,
  state: record.state,
  startedAtWallMs: record.startedAtWallMs,
  endedAtWallMs: record.endedAtWallMs,
  attempt: attemptOf(record.step),
  text: now?.text || (record.error?.text ?? null),
  failing: now?.failing ?? null,
});

/** A step that is worked on while nothing of it is in the journal yet. */
const unrecorded = ({ step, sinceWallMs, text, failing }: StepActivity): OpenStepView => ({
  ...{ step, state: 'started', startedAtWallMs: sinceWallMs, endedAtWallMs: null },
  ...{ attempt: attemptOf(step), text: text || null, failing },
});

/**
 * Combines what the journal has of the recovery with what the process that carries it out is doing
 * in each step. Pure.
 */
export function openRecoveryView({ intent, journal, activity, hold, request }: OpenRecoverySources): OpenRecoveryView {
  const { opId, member, oldInstanceId, reason, startedAtWallMs, lastHeardWallMs } = intent;
  const now = new Map(activity?.steps.map((one) => [one.step, one]));
  const known = new Set(journal.map((one) => one.step));
  const steps = [
    ...journal.map((record) => recorded(record, now.get(record.step))),
    ...[...now.values()].filter((one) => !known.has(one.step)).map(unrecorded),
  ].sort((a, b) => a.startedAtWallMs - b.startedAtWallMs);
  return {
    ...{ opId, member, oldInstanceId, reason, startedAtWallMs, lastHeardWallMs },
    newInstanceId: isUndo(intent.plan) ? intent.plan.undo.instanceId : journalFacts(journal).replacementId,
    strategy: intent.plan.strategy,
    ...(intent.plan.ladder && { rungs: rungViews(intent.plan.ladder, intent.plan.policy) }),
    volumes: volumeViews(intent.plan),
    steps,
    activity: activity?.text ?? null,
    captureProgressPercent: activity?.captureProgressPercent ?? null,
    hold: hold && { reason: hold.reason, text: hold.text },
    ...(request?.opId === opId ? { request } : {}),
  };
}
