import {
  durationText,
  type GroupPolicy,
  type PlannedRungView,
  type RecoveryPlan,
  type Rung,
  rungDeadlineMs,
  type RungView,
  staysInPlace,
} from '@understudy/shared';

/** As a person is shown them: each with how long it may take before the next one is taken. */
export const rungViews = (
  rungs: readonly Rung[],
  policy: { readonly recover: Pick<GroupPolicy['recover'], 'strategy' | 'ladder'> },
): RungView[] => rungs.map((one) => ({ ...one, deadlineMs: rungDeadlineMs(policy, one.rung) }));

/** What has to be seen for a way to have helped. */
const proofOf = (rung: string, settleMs: number): string =>
  staysInPlace({ strategy: rung })
    ? `heartbeats of a later boot for ${durationText(settleMs)}, and the services that are probed pass`
    : 'another instance is heard, checked and activated';

/** Every way of the plan with its condition, how long it is given, its proof and the next one. */
export function plannedRungs({ ladder = [], policy }: RecoveryPlan): PlannedRungView[] {
  return rungViews(ladder, policy).map((one, at) => ({
    ...one,
    proof: proofOf(one.rung, policy.recover.settleMs),
    next:
      one.said === 'taken' || one.said === 'later'
        ? (ladder.slice(at + 1).find(({ said }) => said === 'later')?.rung ?? null)
        : null,
  }));
}
