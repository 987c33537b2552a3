import { Ec2Error } from './ec2-error.ts';
import type { ResourceStore } from './resource-store.ts';
import type { Call, Region } from './region.ts';

interface IdKind {
  readonly prefix: string;
  readonly noun: string;
  readonly notFound: string;
  readonly malformed: string;
}

/** Error codes per kind of id (EC2 API Reference, error codes). */
export const ID_KINDS = {
  instance: {
    prefix: 'i',
    noun: 'instance',
    notFound: 'InvalidInstanceID.NotFound',
    malformed: 'InvalidInstanceID.Malformed',
  },
  volume: { prefix: 'vol', noun: 'volume', notFound: 'InvalidVolume.NotFound', malformed: 'InvalidVolumeID.Malformed' },
  snapshot: {
    prefix: 'snap',
    noun: 'snapshot',
    notFound: 'InvalidSnapshot.NotFound',
    malformed: 'InvalidSnapshotID.Malformed',
  },
  image: { prefix: 'ami', noun: 'image', notFound: 'InvalidAMIID.NotFound', malformed: 'InvalidAMIID.Malformed' },
  networkInterface: {
    prefix: 'eni',
    noun: 'networkInterface',
    notFound: 'InvalidNetworkInterfaceID.NotFound',
    malformed: 'InvalidNetworkInterfaceId.Malformed',
  },
  address: {
    prefix: 'eipalloc',
    noun: 'allocation',
    notFound: 'InvalidAllocationID.NotFound',
    malformed: 'InvalidAllocationID.Malformed',
  },
  subnet: {
    prefix: 'subnet',
    noun: 'subnet',
    notFound: 'InvalidSubnetID.NotFound',
    malformed: 'InvalidSubnetID.Malformed',
  },
  vpc: { prefix: 'vpc', noun: 'vpc', notFound: 'InvalidVpcID.NotFound', malformed: 'InvalidVpcID.Malformed' },
  capacityReservation: {
    prefix: 'cr',
    noun: 'capacity reservation',
    notFound: 'InvalidCapacityReservationId.NotFound',
    malformed: 'InvalidCapacityReservationId.Malformed',
  },
  replaceRootVolumeTask: {
    prefix: 'replacevol',
    noun: 'root volume replacement task',
    notFound: 'InvalidReplaceRootVolumeTaskId.NotFound',
    malformed: 'InvalidReplaceRootVolumeTaskId.Malformed',
  },
  routeTable: {
    prefix: 'rtb',
    noun: 'routeTable',
    notFound: 'InvalidRouteTableID.NotFound',
    malformed: 'InvalidRouteTableId.Malformed',
  },
  securityGroup: {
    prefix: 'sg',
    noun: 'security group',
    notFound: 'InvalidGroup.NotFound',
    malformed: 'InvalidGroupId.Malformed',
  },
} as const satisfies Record<string, IdKind>;

export type IdKindName = keyof typeof ID_KINDS;

/** @throws MissingParameter, or the kind's `Malformed` code. */
export function checkId(kindName: IdKindName, id: string | undefined): string {
  const kind = ID_KINDS[kindName];
  if (id === undefined || id === '') {
    throw new Ec2Error('MissingParameter', `The request must contain the parameter ${kind.noun} id`);
  }
  if (!new RegExp(`^${kind.prefix}-(?:[0-9a-f]{8}|[0-9a-f]{17})$`).test(id)) {
    throw new Ec2Error(kind.malformed, `Invalid id: "${id}" (expecting "${kind.prefix}-...")`);
  }
  return id;
}

const notFound = (kindName: IdKindName, ids: readonly string[]): Ec2Error => {
  const kind = ID_KINDS[kindName];
  return new Ec2Error(kind.notFound, `The ${kind.noun} ID '${ids.join(', ')}' does not exist`);
};

/**
 * The truth about a resource, for a call that acts on it. NotFound while the caller cannot see it
 * yet.
 * @throws NotFound, Malformed, MissingParameter
 */
export function need<T extends { readonly id: string }>(
  call: Call,
  store: ResourceStore<T>,
  kindName: IdKindName,
  id: string | undefined,
): T {
  const checked = checkId(kindName, id);
  const truth = store.get(checked);
  const visible = call.instant || store.seen(checked, call) !== undefined;
  if (!truth || !visible) throw notFound(kindName, [checked]);
  return truth;
}

/** The resources a reader sees: the named ones (all of them or NotFound), or everything. */
export function look<T extends { readonly id: string }>(
  call: Call,
  store: ResourceStore<T>,
  kindName: IdKindName,
  ids: readonly string[] | undefined,
): T[] {
  if (!ids || ids.length === 0) return store.allSeen(call);
  const unique = [...new Set(ids.map((id) => checkId(kindName, id)))];
  const missing = unique.filter((id) => !store.seen(id, call));
  if (missing.length > 0) throw notFound(kindName, missing);
  return unique.flatMap((id) => store.seen(id, call) ?? []);
}

/**
 * A describe fails while a zone is impaired, if it names something there or names nothing at all
 * (`DescribeInstances`, API Reference).
 * @throws Unavailable
 */
export function requireHealthyZones(region: Region, named: boolean, found: readonly { readonly az: string }[]): void {
  if (region.impairedZones.size === 0) return;
  if (!named) for (const az of region.impairedZones) region.requireZone(az);
  for (const { az } of found) region.requireZone(az);
}
