import { type Cloud, isUndo, type LaunchPlan, type LaunchRequest, type PlacementCandidate } from '@understudy/shared';
import { disksToKeepOn } from '../core/fidelity/reapplied.ts';
import { launchPlan } from '../core/launch-plan.ts';
import { addressWanted } from '../core/predecessor.ts';
import { buildLaunchRequest, buildPermitRequest } from '../core/launch-request.ts';
import { isPutOnLater } from '../core/moved-volumes.ts';
import {
  type CallsAbout,
  type CallsOf,
  later,
  laterCall,
  type PlannedCall,
  plannedCall,
  triedOnInterface,
  triedOnVolume,
} from '../planned-call.ts';
import { pathNameOf } from '../volumes/volume-paths.ts';
import { laterSnapshot } from './capture-calls.ts';

export const LATER_PERMIT = later('the permit of attempt 1');
export const LATER_IMAGE = later('the image of the root snapshot');
export const LATER_REPLACEMENT = later('the replacement');

const OF_REPLACEMENT = 'it is about the replacement, which the recovery makes';
const OF_PERMIT = 'it is about the permit, which the recovery makes';
const FAILED = 'an attempt has failed';

/** The plan and the place of the first attempt; null: the plan launches nothing. */
function firstAttempt({
  intent,
}: CallsAbout): { readonly plan: LaunchPlan; readonly candidate: PlacementCandidate } | null {
  const plan = launchPlan(intent.plan);
  const candidate = plan?.candidates[0];
  return plan && candidate ? { plan, candidate } : null;
}

/** What `permit` makes, at the first candidate. */
export const permitCalls: CallsOf = (about) => {
  const first = firstAttempt(about);
  if (!first) return [];
  const { plan, candidate } = first;
  const request = buildPermitRequest({ intent: { ...about.intent, plan }, attempt: 1, candidate });
  const attributes = { sourceDestCheck: plan.sourceDestCheck };
  return [
    addressWanted(plan) === null
      ? plannedCall('create', (cloud, options) => cloud.createNetworkInterface(request, options))
      : createdAtItsAddress(request),
    triedOnInterface(
      laterCall(
        'attributes',
        (cloud, options) => cloud.setNetworkInterfaceAttributes(LATER_PERMIT, attributes, options),
        OF_PERMIT,
        plan.sourceDestCheck ? 'the check is off in a new interface' : null,
      ),
      about,
      (id) => (cloud, options) => cloud.setNetworkInterfaceAttributes(id, attributes, options),
    ),
  ];
};

/** The address is free only once the failed instance has ended, so it is tried without it. */
function createdAtItsAddress(request: Parameters<Cloud['createNetworkInterface']>[0]): PlannedCall {
  const { privateIp: _, ...anyAddress } = request;
  return {
    ...plannedCall('create', (cloud, options) => cloud.createNetworkInterface(request, options)),
    trial: {
      ...{ kind: 'with', text: 'tried without the address, which is in use' },
      send: (cloud, options) => cloud.createNetworkInterface(anyAddress, options),
    },
  };
}

/** What `launch` makes, at the first candidate. */
export const launchCalls: CallsOf = (about) => {
  const first = firstAttempt(about);
  if (!first) return [];
  const { plan, candidate } = first;
  const request = buildLaunchRequest({
    ...{ intent: { ...about.intent, plan }, attempt: 1, candidate },
    ...{ networkInterfaceId: LATER_PERMIT, imageId: plan.seed?.imageId ?? LATER_IMAGE },
    snapshotIdsByVolume: Object.fromEntries(
      plan.volumes
        .filter((volume) => plan.seed === undefined || pathNameOf(volume) === 'snapshot')
        .map(({ volumeId }) => [volumeId, laterSnapshot(volumeId)]),
    ),
  });
  return [
    { name: 'run', when: null, send: (cloud, options) => cloud.runInstances(request, options), trial: tried(about) },
  ];
};

function tried({ trialLaunch }: CallsAbout): PlannedCall['trial'] {
  if (trialLaunch === null) return { kind: 'none', why: 'the image that the instance was launched from is not there' };
  const text = "tried with the failed instance's own image, and without its disks";
  const request = trialLaunch as unknown as LaunchRequest;
  return { kind: 'with', text, send: (cloud, options) => cloud.runInstances(request, options) };
}

/** What `verify` makes: disks that are kept when the replacement is terminated. */
export const verifyCalls: CallsOf = (about) => {
  const { plan } = about.intent;
  if (isUndo(plan)) return [];
  // What is put on after the launch is kept by EC2 anyway.
  const launched = plan.volumes
    .filter((volume) => !isPutOnLater(volume))
    .map(({ volumeId, deviceName }) => ({
      volumeId,
      deviceName,
      deleteOnTermination: true,
      status: 'attached',
    }));
  return disksToKeepOn(plan.volumes, { volumes: launched }).map((deviceName) =>
    triedOnVolume(
      laterCall(
        `keep-${deviceName}`,
        (cloud, options) => cloud.setDeleteOnTermination(LATER_REPLACEMENT, deviceName, false, options),
        OF_REPLACEMENT,
      ),
      about,
      plan.volumes.find((one) => one.deviceName === deviceName)?.volumeId ?? null,
      () => (cloud, options) => cloud.setDeleteOnTermination(about.intent.oldInstanceId, deviceName, false, options),
    ),
  );
};

/**
 * What `revoke` makes. Nobody is asked about ending the member's own instance in the place of the
 * replacement: taken for the call itself, that could not be put right.
 */
export const revokeCalls: CallsOf = (about) => [
  laterCall(
    'terminate',
    (cloud, options) => cloud.terminateInstance(LATER_REPLACEMENT, options),
    OF_REPLACEMENT,
    FAILED,
  ),
  triedOnInterface(
    laterCall('delete', (cloud, options) => cloud.deleteNetworkInterface(LATER_PERMIT, options), OF_PERMIT, FAILED),
    about,
    (id) => (cloud, options) => cloud.deleteNetworkInterface(id, options),
  ),
];
