import { TAG, textOf } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { isInQuarantine, memberTagsOf } from '../core/launch-request.ts';
import { type CallsOf, later, laterCall, triedOnInstance, triedOnVolume } from '../planned-call.ts';
import { pathNameOf } from '../volumes/volume-paths.ts';
import { LATER_REPLACEMENT } from './attempt-calls.ts';

const OF_SEED = 'it is about the seed, which the recovery makes';

/** What `assemble` makes. */
export const assembleCalls: CallsOf = (about) => {
  const { intent, standIns } = about;
  const { plan, opId, oldInstanceId } = intent;
  const root = standIns?.root ?? null;
  const { seed, launchBase } = launchPlanOf(plan);
  if (!seed) return [];
  const instanceId = LATER_REPLACEMENT;
  const own = { volumeId: later('the root disk of the seed'), deviceName: seed.rootDeviceName, instanceId };
  const userData = textOf(launchBase.UserData);
  const retired = { [TAG.retiredBy]: opId };
  return [
    triedOnVolume(
      laterCall('detach', (cloud, options) => cloud.detachVolume(own, options), OF_SEED),
      about,
      root?.volumeId ?? null,
      (volumeId) => (cloud, options) =>
        cloud.detachVolume({ volumeId, deviceName: root?.deviceName ?? '', instanceId: oldInstanceId }, options),
    ),
    triedOnVolume(
      laterCall('mark', (cloud, options) => cloud.createTags([own.volumeId], retired, options), OF_SEED),
      about,
      root?.volumeId ?? null,
      (volumeId) => (cloud, options) => cloud.createTags([volumeId], retired, options),
    ),
    ...plan.volumes
      .filter((volume) => pathNameOf(volume) !== 'snapshot')
      .map(({ volumeId, deviceName, path }) => {
        const id = path === 'copy' ? later(`the copy of ${volumeId}`) : volumeId;
        const place = { volumeId: id, deviceName, instanceId };
        return triedOnInstance(
          laterCall(`attach-${volumeId}`, (cloud, options) => cloud.attachVolume(place, options), OF_SEED),
          about,
          (own) => (cloud, options) => cloud.attachVolume({ volumeId, deviceName, instanceId: own }, options),
        );
      }),
    ...(userData === null
      ? []
      : [
          triedOnInstance(
            laterCall('userData', (cloud, options) => cloud.setUserData(instanceId, userData, options), OF_SEED),
            about,
            (own) => (cloud, options) => cloud.setUserData(own, userData, options),
          ),
        ]),
    ...(isInQuarantine({ seed }, 1)
      ? [
          laterCall(
            'tags',
            (cloud, options) =>
              cloud.createTags([instanceId], memberTagsOf({ ...intent, plan: launchPlanOf(plan) }), options),
            OF_SEED,
          ),
        ]
      : []),
    triedOnInstance(
      laterCall('start', (cloud, options) => cloud.startInstance(instanceId, options), OF_SEED),
      about,
      (own) => (cloud, options) => cloud.startInstance(own, options),
    ),
  ];
};
