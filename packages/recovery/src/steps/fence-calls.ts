import { TAG } from '@understudy/shared';
import { stopModes } from '../core/fence-decision.ts';
import { type CallsOf, type PlannedCall, plannedCall } from '../planned-call.ts';

/** What the fence says on the instance it is about to stop. */
export const fenceMarks = (opId: string, oldLaunchedAtWallMs: number | null): Record<string, string> => ({
  [TAG.fencedBy]: opId,
  ...(oldLaunchedAtWallMs === null ? {} : { [TAG.fencedRun]: new Date(oldLaunchedAtWallMs).toISOString() }),
});

const unprotectIf = (planned: boolean): string | null =>
  planned ? null : 'EC2 refuses the stop because stop protection is on';

/** What `fence` makes. */
export const fenceCalls: CallsOf = ({ intent: { opId, oldInstanceId, plan } }) => {
  const [first, ...others] = stopModes(plan.policy.recover.fenceSkipOsShutdown);
  return [
    plannedCall('mark', (cloud, options) =>
      cloud.createTags([oldInstanceId], fenceMarks(opId, plan.oldLaunchedAtWallMs), options),
    ),
    plannedCall(
      'unprotect',
      (cloud, options) => cloud.setProtection(oldInstanceId, { stop: false }, options),
      unprotectIf(plan.protection.stop),
    ),
    ...(first ? [plannedCall('stop', (cloud, options) => cloud.stopInstance(oldInstanceId, first, options))] : []),
    ...others.map(
      (mode): PlannedCall => ({
        ...plannedCall(
          'stop',
          (cloud, options) => cloud.stopInstance(oldInstanceId, mode, options),
          'EC2 refuses the manner before',
        ),
        trial: {
          ...{ kind: 'with', text: 'asked as the manner before, which takes the same permission' },
          send: (cloud, options) => cloud.stopInstance(oldInstanceId, first ?? mode, options),
        },
      }),
    ),
  ];
};
