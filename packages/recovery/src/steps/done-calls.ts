import { type Chore, isUndo, TAG } from '@understudy/shared';
import { followingAddress } from '../core/predecessor.ts';
import { choresOf } from '../core/chores.ts';
import { undoChoresOf } from '../core/undo/undo-chores.ts';
import { sendChore } from '../collector/chore-calls.ts';
import {
  type CallsAbout,
  type CallsOf,
  later,
  laterCall,
  type PlannedCall,
  plannedCall,
  triedOnInstance,
  triedOnInterface,
  triedOnVolume,
} from '../planned-call.ts';
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
export const doneCalls: CallsOf = (about) => {
  const { opId, oldInstanceId, plan } = about.intent;
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
    ...chores.flatMap((chore) => choreCalls(chore, about)),
  ];
};

const WHY = 'it is about what the replacement has';

/** Binds a moved interface to the replacement; tried on the member's own attachment. */
function bindInterfaceCalls(networkInterfaceId: string, about: CallsAbout): readonly PlannedCall[] {
  const call = { kind: 'bind', networkInterfaceId, attachmentId: later('its attachment') } as const;
  const attachmentId = about.standIns?.attachmentId ?? null;
  const told = laterCall('bind', (cloud, options = {}) => sendChore(cloud, call, options), WHY);
  if (attachmentId === null) return [told];
  const onOwn =
    (id: string): PlannedCall['send'] =>
    (cloud, options = {}) =>
      sendChore(cloud, { ...call, networkInterfaceId: id, attachmentId }, options);
  return [triedOnInterface(told, about, onOwn)];
}

/** The calls of a chore, on things that have nothing of it yet. */
function choreCalls(chore: Chore, about: CallsAbout): readonly PlannedCall[] {
  switch (chore.kind) {
    case 'retire-volume': {
      const { volumeId: resourceId, tags } = chore;
      return [
        plannedCall('mark', (cloud, options = {}) => sendChore(cloud, { kind: 'tag', resourceId, tags }, options)),
      ];
    }
    case 'volume-tags': {
      const call = { kind: 'tag', resourceId: later(`the volume at ${chore.deviceName}`), tags: chore.tags } as const;
      return [
        triedOnVolume(
          laterCall('tag', (cloud, options = {}) => sendChore(cloud, call, options), WHY),
          about,
          volumeAt(about, chore.deviceName),
          (resourceId) =>
            (cloud, options = {}) =>
              sendChore(cloud, { ...call, resourceId }, options),
        ),
      ];
    }
    case 'bind-interface':
      return bindInterfaceCalls(chore.networkInterfaceId, about);
    case 'bind-disk':
      return [
        triedOnVolume(
          laterCall(chore.kind, (cloud, options = {}) => sendChore(cloud, chore, options), WHY),
          about,
          volumeAt(about, chore.deviceName),
          () =>
            (cloud, options = {}) =>
              sendChore(cloud, { ...chore, instanceId: about.intent.oldInstanceId }, options),
        ),
      ];
    case 'reboot-migration':
    case 'dns-records':
      return [
        triedOnInstance(
          laterCall(chore.kind, (cloud, options = {}) => sendChore(cloud, chore, options), WHY),
          about,
          (instanceId) =>
            (cloud, options = {}) =>
              sendChore(cloud, { ...chore, instanceId }, options),
        ),
      ];
    case 'protect': {
      const { instanceId } = chore;
      const kinds = [
        ...(chore.stop ? [{ stop: true } as const] : []),
        ...(chore.termination ? [{ termination: true } as const] : []),
      ];
      const protect =
        (id: string, protection: (typeof kinds)[number]): PlannedCall['send'] =>
        (cloud, options = {}) =>
          sendChore(cloud, { kind: 'protect', instanceId: id, protection }, options);
      return kinds.map((protection) =>
        triedOnInstance(laterCall('protect', protect(instanceId, protection), WHY), about, (own) =>
          protect(own, protection),
        ),
      );
    }
  }
}

/** The member's own volume at the device. Null: there is none. */
const volumeAt = ({ intent: { plan } }: CallsAbout, deviceName: string): string | null =>
  plan.volumes.find((one) => one.deviceName === deviceName)?.volumeId ?? null;
