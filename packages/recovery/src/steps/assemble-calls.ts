import { TAG, textOf } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { isInQuarantine, memberTagsOf } from '../core/launch-request.ts';
import { type CallsOf, later, laterCall } from '../planned-call.ts';
import { pathNameOf } from '../volumes/volume-paths.ts';
import { LATER_REPLACEMENT } from './attempt-calls.ts';

const OF_SEED = 'it is about the seed, which the recovery makes';

/** What `assemble` makes. */
export const assembleCalls: CallsOf = ({ intent }) => {
  const { plan, opId } = intent;
  const { seed, launchBase } = launchPlanOf(plan);
  if (!seed) return [];
  const instanceId = LATER_REPLACEMENT;
  const own = { volumeId: later('the root disk of the seed'), deviceName: seed.rootDeviceName, instanceId };
  const userData = textOf(launchBase.UserData);
  return [
    laterCall('detach', (cloud, options) => cloud.detachVolume(own, options), OF_SEED),
    laterCall(
      'mark',
      (cloud, options) => cloud.createTags([own.volumeId], { [TAG.retiredBy]: opId }, options),
      OF_SEED,
    ),
    ...plan.volumes
      .filter((volume) => pathNameOf(volume) !== 'snapshot')
      .map(({ volumeId, deviceName, path }) => {
        const id = path === 'copy' ? later(`the copy of ${volumeId}`) : volumeId;
        const place = { volumeId: id, deviceName, instanceId };
        return laterCall(`attach-${volumeId}`, (cloud, options) => cloud.attachVolume(place, options), OF_SEED);
      }),
    ...(userData === null
      ? []
      : [laterCall('userData', (cloud, options) => cloud.setUserData(instanceId, userData, options), OF_SEED)]),
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
    laterCall('start', (cloud, options) => cloud.startInstance(instanceId, options), OF_SEED),
  ];
};
