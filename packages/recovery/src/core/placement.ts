import {
  type CloudSubnet,
  FEATURE_LEVEL,
  type GroupPolicy,
  type PlacementCandidate,
  type PlacesPolicy,
  LEVEL_OF,
} from '@understudy/shared';
import type { Finding } from './finding.ts';
import { type ReservationFacts, reservationMisfit, reservationOfCandidate } from './reservation-fit.ts';
import { type Baggage, misfitOf, type TypeFacts } from './candidate-fit.ts';

export interface PlacementInput {
  /** Subnet of the failed instance's primary network interface. */
  readonly ownSubnetId: string | null;
  readonly ownInstanceType: string;
  /** Everything EC2 knows of the own subnet and of the policy's. */
  readonly subnets: readonly CloudSubnet[];
  readonly baggage: Baggage;
  readonly typeFacts: TypeFacts;
  /** Absent: nobody looked. */
  readonly reservations?: ReservationFacts | undefined;
  /** The feature level in force. Absent: this build's own. */
  readonly level?: number | undefined;
}

export interface Placements {
  /** Where to launch, in order; no duplicates. */
  readonly candidates: readonly PlacementCandidate[];
  /** What the policy asked for and cannot be had, each with its reason. */
  readonly skipped: readonly { readonly code: string; readonly text: string }[];
  /** The zone that was left out because it is lost; null: none. */
  readonly leaveAz: string | null;
  /** Candidates that were left out for what they cannot carry. Absent: none. */
  readonly otherwise?: readonly PlacementCandidate[];
  /** Zones of the subnets that the policy names. Absent: nothing is launched. */
  readonly zonesNamed?: readonly string[];
}

/** The part of a policy that says where a replacement may be launched. */
export interface PlacingPolicy {
  readonly recover: Pick<GroupPolicy['recover'], 'placements' | 'places'>;
}

/**
 * Own subnet and type, unless the policy names placements or places: then those, in their order;
 * nothing in `leaveAz`. Pure.
 */
export function placementsOf(input: PlacementInput, policy: PlacingPolicy, leaveAz: string | null = null): Placements {
  const subnets = new Map(input.subnets.map((subnet) => [subnet.subnetId, subnet]));
  const ownVpcId = input.ownSubnetId === null ? undefined : subnets.get(input.ownSubnetId)?.vpcId;
  const candidates: PlacementCandidate[] = [];
  const skipped: { code: string; text: string }[] = [];
  for (const wish of wishesOf(input, policy)) {
    const subnet = subnets.get(wish.subnetId);
    if (!subnet || subnet.az === '') {
      skipped.push({ code: 'PlacementSubnetUnknown', text: `EC2 does not know subnet ${wish.subnetId}` });
    } else if (ownVpcId !== undefined && subnet.vpcId !== ownVpcId) {
      const text = `subnet ${wish.subnetId} is in ${subnet.vpcId}; the security groups belong to ${ownVpcId}`;
      skipped.push({ code: 'PlacementInOtherVpc', text });
    } else if (subnet.az === leaveAz) {
      skipped.push({ code: 'PlacementInLostZone', text: `subnet ${wish.subnetId} is in ${leaveAz}, which is lost` });
    } else if (wish.capacityReservation !== undefined && (input.level ?? FEATURE_LEVEL) < LEVEL_OF.reservation) {
      const text = `the capacity reservation of ${wish.subnetId} needs feature level ${LEVEL_OF.reservation}: upgrade every coordinator`;
      if (!skipped.some((other) => other.text === text)) skipped.push({ code: 'PlacementNeedsLevel', text });
    } else if (!candidates.some((other) => sameWish(other, wish))) {
      const misfit =
        misfitOf(wish, subnet.az, input.baggage, input.typeFacts) ?? misfitOfReservation(wish, subnet.az, input);
      if (misfit === null) candidates.push(candidateOf(wish, subnet.az));
      else if (!skipped.some((other) => other.text === misfit.text)) skipped.push(misfit);
    }
  }
  const zones = subnetsNamed(policy).flatMap((id) => subnets.get(id)?.az ?? []);
  return { candidates, skipped, leaveAz, zonesNamed: [...new Set(zones)] };
}

function misfitOfReservation(wish: Wish, az: string, { baggage, reservations }: PlacementInput): Finding | null {
  const id = reservationOfCandidate(wish);
  if (id === null) return null;
  const { platform, tenancy } = baggage;
  return reservationMisfit(id, reservations?.get(id), { az, instanceType: wish.instanceType, platform, tenancy });
}

const candidateOf = ({ subnetId, instanceType, capacityReservation }: Wish, az: string): PlacementCandidate => ({
  ...{ subnetId, az, instanceType },
  ...(capacityReservation === undefined ? {} : { capacityReservation }),
});

interface Wish {
  readonly subnetId: string;
  readonly instanceType: string;
  readonly capacityReservation?: string | undefined;
}

const sameWish = (a: Wish, b: Wish): boolean =>
  a.subnetId === b.subnetId && a.instanceType === b.instanceType && a.capacityReservation === b.capacityReservation;

/** More than these are never asked: their order matters, and the journal keeps a record of each. */
const CANDIDATES_MAX = 50;

/** The policy's own list, then its combinations; the own place where it has neither. */
function wishesOf({ ownSubnetId, ownInstanceType }: PlacementInput, { recover }: PlacingPolicy): readonly Wish[] {
  const { placements, places } = recover;
  const listed = placements.map((one): Wish => ({ ...one, instanceType: one.instanceType ?? ownInstanceType }));
  const own = ownSubnetId === null ? [] : [ownSubnetId];
  if (places) listed.push(...combinations(places, own, ownInstanceType));
  else if (placements.length === 0)
    listed.push(...own.map((subnetId) => ({ subnetId, instanceType: ownInstanceType })));
  return listed.slice(0, CANDIDATES_MAX);
}

function combinations(
  { subnets, instanceTypes, order, capacityReservation }: PlacesPolicy,
  own: readonly string[],
  ownType: string,
): readonly Wish[] {
  const allSubnets = subnets.length > 0 ? subnets : own;
  const allTypes = instanceTypes.length > 0 ? instanceTypes : [ownType];
  const wish = (subnetId: string, instanceType: string): Wish => ({ subnetId, instanceType, capacityReservation });
  return order === 'zones-first'
    ? allTypes.flatMap((type) => allSubnets.map((subnet) => wish(subnet, type)))
    : allSubnets.flatMap((subnet) => allTypes.map((type) => wish(subnet, type)));
}

/** Every subnet that the policy names. */
export const subnetsNamed = ({ recover: { placements, places } }: PlacingPolicy): readonly string[] => [
  ...placements.map((one) => one.subnetId),
  ...(places?.subnets ?? []),
];

/** Ids of the capacity reservations that the policy names. */
export const reservationsNamed = ({ recover: { placements, places } }: PlacingPolicy): readonly string[] => [
  ...new Set(
    [...placements, ...(places ? [places] : [])].flatMap(
      ({ capacityReservation }) => reservationOfCandidate({ capacityReservation }) ?? [],
    ),
  ),
];

/** Every instance type that the policy names. */
export const typesNamed = ({ recover: { placements, places } }: PlacingPolicy): readonly string[] => [
  ...placements.flatMap((one) => one.instanceType ?? []),
  ...(places?.instanceTypes ?? []),
];
