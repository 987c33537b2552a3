import { type Chore, isUndo, TAG } from '@understudy/shared';
import { followingAddress } from '../core/predecessor.ts';
import { choresOf } from '../core/chores.ts';
import { undoChoresOf } from '../core/undo/undo-chores.ts';
import { sendChore } from '../collector/chore-calls.ts';
import { type CallsOf, later, laterCall, type PlannedCall, plannedCall } from '../planned-call.ts';
import { retainedUntil } from '../closing.ts';
import type { Run } from '../run.ts';
import { LATER_PERMIT, LATER_REPLACEMENT } from './attempt-calls.ts';

/** What says that an instance, or a disk of it, was retired. */
export const RETIRED_TAGS: readonly string[] = [TAG.retiredBy, TAG.retainUntil];

const END = later('when it began, and the time of retention');

/** The marks of a retired instance, told before the time is known. */
export const retireMarks = (opId: string): Record<string, string> => ({
  [TAG.retiredBy]: opId,
  [TAG.retainUntil]: END,
});

/** The marks of the instance that this recovery retires. */
export const retireTags = (run: Pick<Run, 'record' | 'policy'>): Record<string, string> => ({
  [TAG.retiredBy]: run.record.opId,
  [TAG.retainUntil]: retainedUntil(run, run.policy.recover.retainForMs),
});

/** What `done` makes: marks on the old instance, and what a launch cannot carry. */
export const doneCalls: CallsOf = ({ intent: { opId, oldInstanceId, plan } }) => {
  const { protection, policy, volumes } = plan;
  const marks = retireMarks(opId);
  const facts = {
    ...{ plan, volumes, opId, oldInstanceId },
    volumesRetainedUntil: policy.recover.retainVolumesForMs === null ? null : END,
    ...(followingAddress(plan) && { detainedUntil: END }),
  };
  const chores = isUndo(plan)
    ? undoChoresOf({ ...facts, newInstanceId: plan.undo.instanceId })
    : choresOf({ ...facts, newInstanceId: LATER_REPLACEMENT, permitId: LATER_PERMIT });
  return [
    plannedCall('retire', (cloud, options) => cloud.createTags([oldInstanceId], marks, options)),
    ...(protection.termination && !followingAddress(plan)
      ? [
          plannedCall('unprotect', (cloud, options) =>
            cloud.setProtection(oldInstanceId, { termination: false }, options),
          ),
        ]
      : []),
    ...(isUndo(plan)
      ? [
          plannedCall('unretire', (cloud, options) =>
            cloud.deleteTags([plan.undo.instanceId, ...plan.undo.volumeIds], RETIRED_TAGS, options),
          ),
        ]
      : []),
    ...chores.flatMap(choreCalls),
  ];
};

const WHY = 'it is about what the replacement has';

/** The calls of a chore, on things that have nothing of it yet. */
function choreCalls(chore: Chore): readonly PlannedCall[] {
  switch (chore.kind) {
    case 'retire-volume': {
      const { volumeId: resourceId, tags } = chore;
      return [
        plannedCall('mark', (cloud, options = {}) => sendChore(cloud, { kind: 'tag', resourceId, tags }, options)),
      ];
    }
    case 'volume-tags': {
      const call = { kind: 'tag', resourceId: later(`the volume at ${chore.deviceName}`), tags: chore.tags } as const;
      return [laterCall('tag', (cloud, options = {}) => sendChore(cloud, call, options), WHY)];
    }
    case 'bind-interface': {
      const { networkInterfaceId } = chore;
      const call = { kind: 'bind', networkInterfaceId, attachmentId: later('its attachment') } as const;
      return [laterCall('bind', (cloud, options = {}) => sendChore(cloud, call, options), WHY)];
    }
    case 'bind-disk':
    case 'reboot-migration':
    case 'dns-records':
      return [laterCall(chore.kind, (cloud, options = {}) => sendChore(cloud, chore, options), WHY)];
    case 'protect': {
      const { instanceId } = chore;
      const kinds = [
        ...(chore.stop ? [{ stop: true } as const] : []),
        ...(chore.termination ? [{ termination: true } as const] : []),
      ];
      return kinds.map((protection) =>
        laterCall(
          'protect',
          (cloud, options = {}) => sendChore(cloud, { kind: 'protect', instanceId, protection }, options),
          WHY,
        ),
      );
    }
  }
}
