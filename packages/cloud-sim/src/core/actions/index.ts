import { refuse } from '../ec2-error.ts';
import { ELBV2_HANDLERS } from '../elbv2/index.ts';
import { EVENTBRIDGE_HANDLERS } from '../eventbridge/index.ts';
import { KMS_HANDLERS } from '../kms/index.ts';
import { ROUTE53_HANDLERS } from '../route53/index.ts';
import { SECRET_HANDLERS } from '../secrets/index.ts';
import { SNS_HANDLERS } from '../sns/index.ts';
import { SQS_HANDLERS } from '../sqs/index.ts';
import { SSM_HANDLERS } from '../ssm/index.ts';
import type { Call, Region } from '../region.ts';
import * as addresses from './addresses.ts';
import * as assigned from './assign-addresses.ts';
import * as reservations from './capacity-reservations.ts';
import type { Handler } from './common.ts';
import { copyVolumes } from './copy-volumes.ts';
import * as images from './images.ts';
import * as attributes from './instance-attributes.ts';
import * as instances from './instances.ts';
import { modifyInstanceMaintenanceOptions } from './maintenance-options.ts';
import * as interfaces from './network-interfaces.ts';
import * as network from './network.ts';
import * as power from './power.ts';
import * as keyPairs from './key-pairs.ts';
import { modifyPrivateDnsNameOptions } from './dns-name-options.ts';
import * as placementGroups from './placement-groups.ts';
import * as replaceRoot from './replace-root.ts';
import * as routes from './route-tables.ts';
import * as types from './instance-type-views.ts';
import { runInstances } from './run-instances.ts';
import * as snapshots from './snapshots.ts';
import * as tagging from './tagging.ts';
import * as volumeStatus from './volume-status.ts';
import * as volumes from './volumes.ts';

const HANDLERS = {
  DescribeInstances: instances.describeInstances,
  DescribeInstanceStatus: instances.describeInstanceStatus,
  GetConsoleOutput: instances.getConsoleOutput,
  DescribeInstanceAttribute: attributes.describeInstanceAttribute,
  ModifyInstanceAttribute: attributes.modifyInstanceAttribute,
  ModifyInstanceMaintenanceOptions: modifyInstanceMaintenanceOptions,
  ModifyPrivateDnsNameOptions: modifyPrivateDnsNameOptions,
  RunInstances: runInstances,
  StartInstances: power.startInstances,
  StopInstances: power.stopInstances,
  RebootInstances: power.rebootInstances,
  TerminateInstances: power.terminateInstances,
  DescribeVolumes: volumes.describeVolumes,
  CreateVolume: volumes.createVolume,
  DeleteVolume: volumes.deleteVolume,
  AttachVolume: volumes.attachVolume,
  DetachVolume: volumes.detachVolume,
  CopyVolumes: copyVolumes,
  DescribeVolumeStatus: volumeStatus.describeVolumeStatus,
  EnableVolumeIO: volumeStatus.enableVolumeIO,
  CreateReplaceRootVolumeTask: replaceRoot.createReplaceRootVolumeTask,
  DescribeReplaceRootVolumeTasks: replaceRoot.describeReplaceRootVolumeTasks,
  DescribeSnapshots: snapshots.describeSnapshots,
  CreateSnapshot: snapshots.createSnapshot,
  CreateSnapshots: snapshots.createSnapshots,
  DeleteSnapshot: snapshots.deleteSnapshot,
  DescribeImages: images.describeImages,
  RegisterImage: images.registerImage,
  DeregisterImage: images.deregisterImage,
  DescribeNetworkInterfaces: interfaces.describeNetworkInterfaces,
  CreateNetworkInterface: interfaces.createNetworkInterface,
  DeleteNetworkInterface: interfaces.deleteNetworkInterface,
  AttachNetworkInterface: interfaces.attachNetworkInterface,
  DetachNetworkInterface: interfaces.detachNetworkInterface,
  ModifyNetworkInterfaceAttribute: interfaces.modifyNetworkInterfaceAttribute,
  AssignPrivateIpAddresses: assigned.assignPrivateIpAddresses,
  UnassignPrivateIpAddresses: assigned.unassignPrivateIpAddresses,
  AssignIpv6Addresses: assigned.assignIpv6Addresses,
  UnassignIpv6Addresses: assigned.unassignIpv6Addresses,
  DescribeAddresses: addresses.describeAddresses,
  AllocateAddress: addresses.allocateAddress,
  AssociateAddress: addresses.associateAddress,
  DisassociateAddress: addresses.disassociateAddress,
  ReleaseAddress: addresses.releaseAddress,
  DescribeSubnets: network.describeSubnets,
  DescribeVpcs: network.describeVpcs,
  DescribeSecurityGroups: network.describeSecurityGroups,
  DescribeAvailabilityZones: network.describeAvailabilityZones,
  DescribeInstanceTypes: types.describeInstanceTypes,
  DescribeInstanceTypeOfferings: types.describeInstanceTypeOfferings,
  DescribeKeyPairs: keyPairs.describeKeyPairs,
  CreateKeyPair: keyPairs.createKeyPair,
  ImportKeyPair: keyPairs.importKeyPair,
  DeleteKeyPair: keyPairs.deleteKeyPair,
  DescribePlacementGroups: placementGroups.describePlacementGroups,
  CreatePlacementGroup: placementGroups.createPlacementGroup,
  DeletePlacementGroup: placementGroups.deletePlacementGroup,
  DescribeCapacityReservations: reservations.describeCapacityReservations,
  CreateCapacityReservation: reservations.createCapacityReservation,
  CancelCapacityReservation: reservations.cancelCapacityReservation,
  DescribeRouteTables: routes.describeRouteTables,
  CreateRouteTable: routes.createRouteTable,
  DeleteRouteTable: routes.deleteRouteTable,
  CreateRoute: routes.createRoute,
  DeleteRoute: routes.deleteRoute,
  CreateTags: tagging.createTags,
  DeleteTags: tagging.deleteTags,
  DescribeTags: tagging.describeTags,
} satisfies Record<string, Handler>;

export type ActionName = keyof typeof HANDLERS;

/** Every action of EC2 that is simulated. */
export const ACTION_NAMES = Object.keys(HANDLERS) as readonly ActionName[];

export const isAction = (name: string): name is ActionName => Object.hasOwn(HANDLERS, name);

/** Actions of all services. Those of other services have a prefix. */
const ALL: Readonly<Record<string, Handler>> = {
  ...HANDLERS,
  ...KMS_HANDLERS,
  ...SECRET_HANDLERS,
  ...ROUTE53_HANDLERS,
  ...ELBV2_HANDLERS,
  ...SQS_HANDLERS,
  ...SSM_HANDLERS,
  ...SNS_HANDLERS,
  ...EVENTBRIDGE_HANDLERS,
};

/** Runs one action on the Region. @throws Ec2Error */
export function perform(
  region: Region,
  call: Call,
  action: string,
  input: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (!Object.hasOwn(ALL, action))
    return refuse('InvalidAction', `The action ${action} is not valid for this web service.`);
  const handler = ALL[action] as (region: Region, call: Call, input: object) => object;
  return handler(region, call, input) as Record<string, unknown>;
}
