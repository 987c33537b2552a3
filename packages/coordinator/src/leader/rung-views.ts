import { type GroupPolicy, type Rung, rungDeadlineMs, type RungView } from '@understudy/shared';

/** As a person is shown them: each with how long it may take before the next one is taken. */
export const rungViews = (
  rungs: readonly Rung[],
  policy: { readonly recover: Pick<GroupPolicy['recover'], 'strategy' | 'ladder'> },
): RungView[] => rungs.map((one) => ({ ...one, deadlineMs: rungDeadlineMs(policy, one.rung) }));
