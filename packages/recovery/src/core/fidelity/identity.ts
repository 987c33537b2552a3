import {
  type AddressTarget,
  type AssignedKind,
  type CarriedIdentity,
  type CloudAddress,
  type CloudNetworkAttachment,
  FEATURE_LEVEL,
  flagOf,
  type PlannedAssigned,
  type PlannedInterface,
  rawListOf,
  rawOf,
  textOf,
  LEVEL_OF,
} from '@understudy/shared';
import { primaryInterfaceOf, rawPrimaryInterfaceOf } from './primary-interface.ts';
import type { Circumstances } from './row.ts';

const MEMBERS: readonly (readonly [AssignedKind, CarriedIdentity, list: string, member: string])[] = [
  ['secondary-ip', 'secondary-ips', 'PrivateIpAddresses', 'PrivateIpAddress'],
  ['ipv6-address', 'ipv6-addresses', 'Ipv6Addresses', 'Ipv6Address'],
  ['ipv4-prefix', 'prefixes', 'Ipv4Prefixes', 'Ipv4Prefix'],
  ['ipv6-prefix', 'prefixes', 'Ipv6Prefixes', 'Ipv6Prefix'],
];

/** What is assigned to the primary interface beside its own address, by the kind of the policy. */
export interface AssignedThing {
  readonly kind: AssignedKind;
  readonly carriedAs: CarriedIdentity;
  /** Null: EC2 did not tell it. */
  readonly address: string | null;
  /** EC2 does not take a primary IPv6 address off its interface. */
  readonly isFixed: boolean;
}

export const assignedThings = ({ input }: Pick<Circumstances, 'input'>): readonly AssignedThing[] => {
  const eni = rawPrimaryInterfaceOf(input.instance);
  return MEMBERS.flatMap(([kind, carriedAs, list, member]) =>
    rawListOf(eni[list])
      .filter((one) => kind !== 'secondary-ip' || one.Primary === false)
      .map((one) => ({ kind, carriedAs, address: textOf(one[member]), isFixed: flagOf(one.IsPrimaryIpv6) })),
  );
};

/** Builds of a lower level would leave what moves behind without a word (S24). */
const isInForce = ({ input: { level = FEATURE_LEVEL } }: Pick<Circumstances, 'input'>): boolean =>
  level >= LEVEL_OF.identity;

const isCarried = (circumstances: Circumstances, kind: CarriedIdentity): boolean =>
  isInForce(circumstances) && circumstances.policy.identity.carry.includes(kind);

const homeSubnetOf = ({ input: { instance } }: Circumstances): string | null =>
  primaryInterfaceOf(instance)?.subnetId ?? null;

const hasPlacementIn = ({ placements }: Circumstances, where: { subnetId?: string | null; az?: string }): boolean =>
  placements.candidates.some((one) => one.subnetId === where.subnetId || one.az === where.az);

/** What is assigned to the primary interface and moves, where a placement can take it. */
export function assignedOf(circumstances: Circumstances): PlannedAssigned[] {
  const { instance } = circumstances.input;
  const primary = primaryInterfaceOf(instance);
  if (primary === null || !hasPlacementIn(circumstances, { subnetId: primary.subnetId })) return [];
  const { networkInterfaceId, subnetId } = primary;
  const holders = [{ instanceId: instance.instanceId, networkInterfaceId }];
  return assignedThings(circumstances).flatMap(({ kind, carriedAs, address, isFixed }) =>
    address === null || isFixed || !isCarried(circumstances, carriedAs) ? [] : { kind, address, subnetId, holders },
  );
}

export const furtherInterfaces = ({
  input: { instance },
}: Pick<Circumstances, 'input'>): readonly CloudNetworkAttachment[] =>
  instance.networkInterfaces.filter((one) => one !== primaryInterfaceOf(instance));

/** One that is no plain interface, or is another service's, stays: EC2 does not let us move it. */
function isPlain({ input: { instance } }: Circumstances, networkInterfaceId: string): boolean {
  const raw = rawListOf(instance.raw.NetworkInterfaces).find((one) => one.NetworkInterfaceId === networkInterfaceId);
  const type = textOf(raw?.InterfaceType) ?? 'interface';
  return type === 'interface' && !flagOf(rawOf(raw?.Operator).Managed);
}

/** Further interfaces that move whole, where a placement is in their zone. */
export function interfacesOf(circumstances: Circumstances): PlannedInterface[] {
  const { az } = circumstances.input.instance;
  if (!isCarried(circumstances, 'interfaces') || !hasPlacementIn(circumstances, { az })) return [];
  return furtherInterfaces(circumstances)
    .filter((one) => isPlain(circumstances, one.networkInterfaceId))
    .map(({ networkInterfaceId, deviceIndex, networkCardIndex, deleteOnTermination, attachmentId }) => ({
      ...{ networkInterfaceId, az, deviceIndex, networkCardIndex, deleteOnTermination, attachmentId },
    }));
}

/** Where an Elastic IP goes: undefined: to the primary address; null: nowhere. */
export function targetOf(address: CloudAddress, circumstances: Circumstances): AddressTarget | undefined | null {
  const primary = primaryInterfaceOf(circumstances.input.instance);
  const { networkInterfaceId, privateIp } = address;
  if (primary === null || networkInterfaceId === null) return null;
  if (networkInterfaceId === primary.networkInterfaceId) {
    if (privateIp === null || privateIp === primary.privateIp) return undefined;
    const moves = assignedOf(circumstances).some((one) => one.address === privateIp);
    return moves ? { networkInterfaceId: null, privateIp } : null;
  }
  const moves = interfacesOf(circumstances).some((one) => one.networkInterfaceId === networkInterfaceId);
  return moves && privateIp !== null ? { networkInterfaceId, privateIp } : null;
}

/** How people call the things, and what they cannot leave. */
const WORDS: Readonly<Record<CarriedIdentity, string>> = {
  'secondary-ips': 'secondary private addresses',
  'ipv6-addresses': 'IPv6 addresses',
  prefixes: 'delegated prefixes',
  interfaces: 'further network interfaces',
};

/** What of this kind is not at the replacement, wherever that is placed; null: nothing. */
export function assignedLoss(
  circumstances: Circumstances,
  kind: Exclude<CarriedIdentity, 'interfaces'>,
): string | null {
  const things = assignedThings(circumstances).filter((one) => one.carriedAs === kind);
  const planned = new Set(assignedOf(circumstances).map((one) => one.address));
  const left = things.filter(({ address }) => address === null || !planned.has(address));
  if (left.length > 0) return `${left.length} ${WORDS[kind]} are not moved${reason(circumstances, kind)}`;
  const home = homeSubnetOf(circumstances);
  const away = circumstances.placements.candidates.filter((one) => one.subnetId !== home);
  return things.length === 0 || away.length === 0
    ? null
    : `${things.length} ${WORDS[kind]} exist in ${home} only: lost where the replacement is in ${namesOf(away.map((one) => one.subnetId))}`;
}

/** The same of further interfaces. */
export function interfacesLoss(circumstances: Circumstances): string | null {
  const things = furtherInterfaces(circumstances);
  const planned = new Set(interfacesOf(circumstances).map((one) => one.networkInterfaceId));
  const left = things.filter((one) => !planned.has(one.networkInterfaceId));
  const named = left.map((one) => `${one.networkInterfaceId} (card ${one.networkCardIndex}, index ${one.deviceIndex})`);
  if (left.length > 0)
    return `further network interfaces are not moved: ${named.join(', ')}${reason(circumstances, 'interfaces')}`;
  const { az } = circumstances.input.instance;
  const away = circumstances.placements.candidates.filter((one) => one.az !== az);
  return things.length === 0 || away.length === 0
    ? null
    : `${things.length} ${WORDS.interfaces} exist in ${az} only: lost where the replacement is in ${namesOf(away.map((one) => one.az))}`;
}

const namesOf = (names: readonly string[]): string => [...new Set(names)].join(', ');

function reason(circumstances: Circumstances, kind: CarriedIdentity): string {
  if (!isInForce(circumstances)) return ` (feature level ${LEVEL_OF.identity} is not in force)`;
  if (!circumstances.policy.identity.carry.includes(kind)) return ' (identity.carry does not name them)';
  const home = homeSubnetOf(circumstances);
  const { az } = circumstances.input.instance;
  const isNear = hasPlacementIn(circumstances, kind === 'interfaces' ? { az } : { subnetId: home });
  return isNear ? '' : ` (no placement is in ${kind === 'interfaces' ? az : home})`;
}

/** Why a recovery is refused because something the policy insists on could not follow. */
export function mustFollow(circumstances: Circumstances, kind: CarriedIdentity): string | null {
  if (!circumstances.policy.identity.mustFollow.includes(kind)) return null;
  const loss = kind === 'interfaces' ? interfacesLoss(circumstances) : assignedLoss(circumstances, kind);
  return loss === null ? null : `identity.mustFollow names ${kind}, and ${loss}`;
}
