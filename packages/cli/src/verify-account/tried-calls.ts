import { type Cloud, type CloudCallOptions, isOperationError } from '@understudy/shared';
import type { Given } from './given.ts';
import { refusalOf } from './refusal.ts';
import type { Things } from './things.ts';

/** Nothing has these ids: a dry run asks for the right, and does nothing anyway. */
const NO = {
  ...{ instance: 'i-00000000000000000', interface: 'eni-00000000000000000', image: 'ami-00000000000000000' },
  ...{ snapshot: 'snap-00000000000000000', volume: 'vol-00000000000000000', association: 'eipassoc-00000000000000000' },
} as const;

type Try = (cloud: Cloud, things: Things, given: Given, options?: CloudCallOptions) => Promise<unknown>;

/** How each call is tried. */
const TRIES = {
  CreateNetworkInterface: (cloud, things, { subnetId }, options) =>
    cloud.createNetworkInterface(
      { clientToken: things.token(), subnetId, groupIds: [], description: 'verify', tags: things.tags },
      options,
    ),
  DeleteNetworkInterface: (cloud, _things, _given, options) => cloud.deleteNetworkInterface(NO.interface, options),
  RunInstances: (cloud, things, _given, options) => cloud.runInstances(things.launchRequest({}), options),
  TerminateInstances: (cloud, _things, _given, options) => cloud.terminateInstance(NO.instance, options),
  StopInstances: (cloud, _things, _given, options) =>
    cloud.stopInstance(NO.instance, { force: true, skipOsShutdown: true }, options),
  DeregisterImage: (cloud, _things, _given, options) => cloud.deregisterImage(NO.image, options),
  DeleteSnapshot: (cloud, _things, _given, options) => cloud.deleteSnapshot(NO.snapshot, options),
  DeleteVolume: (cloud, _things, _given, options) => cloud.deleteVolume(NO.volume, options),
  DisassociateAddress: (cloud, _things, _given, options) => cloud.disassociateAddress(NO.association, options),
  CreateSnapshots: (cloud, things, _given, options) =>
    cloud.createSnapshots({ instanceId: NO.instance, description: 'verify', tags: things.tags }, options),
  RegisterImage: (cloud, things, _given, options) =>
    cloud.registerImage(
      {
        ...{ name: `understudy-${things.token()}`, rootDeviceName: '/dev/xvda', architecture: 'x86_64' },
        ...{ rootSnapshotId: NO.snapshot, bootMode: null, enaSupport: true, tpmSupport: null },
        ...{ sriovNetSupport: null, virtualizationType: 'hvm', imdsSupport: null, tags: things.tags },
      },
      options,
    ),
  AssociateAddress: (cloud, _things, { allocationId }, options) =>
    cloud.associateAddress(
      { allocationId: allocationId ?? 'eipalloc-00000000000000000', networkInterfaceId: NO.interface, privateIp: null },
      options,
    ),
} satisfies Readonly<Record<string, Try>>;

/** A call that changes something, by EC2's name. */
export type TriedCall = keyof typeof TRIES;

/** What removes what was made. Without these rights a run is not begun. */
export const REMOVALS: readonly TriedCall[] = [
  ...(['TerminateInstances', 'DeleteNetworkInterface', 'DeleteVolume', 'DeleteSnapshot'] as const),
  ...(['DeregisterImage', 'DisassociateAddress'] as const),
];

/** What makes something where an endpoint takes no notice of `DryRun`. They are tried last. */
export const MAKING: readonly TriedCall[] = ['CreateNetworkInterface', 'RunInstances'];

/** `allowed`, `denied`, or EC2's own word where that tells neither. */
export interface CallWord {
  readonly action: TriedCall;
  readonly word: string;
}

/** Asks with `DryRun` whether the caller has the right. Nothing is made and nothing is paid for. */
export async function tryOne(action: TriedCall, cloud: Cloud, things: Things, given: Given): Promise<CallWord> {
  const attempt: Try = TRIES[action];
  try {
    await cloud.tryCall((tried, options) => attempt(tried, things, given, options));
    return { action, word: 'allowed' };
  } catch (error) {
    if (!isOperationError(error)) throw error;
    return { action, word: error.code === 'CLOUD_DENIED' ? 'denied' : refusalOf(error) };
  }
}
