import { type LaunchPlan, rawOf, textOf } from '@understudy/shared';

type Launching = Pick<LaunchPlan, 'candidates' | 'launchBase'>;

export interface PlaceToAsk {
  readonly az: string;
  readonly instanceType: string;
}

/** Each is a call, and a call that finds room is paid for. */
const PLACES_MAX = 4;

const keyOf = ({ az, instanceType }: PlaceToAsk): string => `${az} ${instanceType}`;

/**
 * Zones and types that a launch by this plan would try, in its order, and the tenancy. Empty: a
 * reservation says nothing about them. EC2 takes one for `default` and `dedicated` tenancy only,
 * and not for placement groups; and a candidate that has a reservation of its own has room by that.
 */
export function placesToAsk({ candidates, launchBase }: Launching): {
  readonly places: readonly PlaceToAsk[];
  readonly tenancy: 'default' | 'dedicated';
} {
  const placement = rawOf(rawOf(launchBase).Placement);
  const specification = rawOf(rawOf(launchBase).CapacityReservationSpecification);
  const tenancy = textOf(placement.Tenancy) ?? 'default';
  const isGrouped = textOf(placement.GroupName) !== null || textOf(placement.GroupId) !== null;
  const hasOwn =
    specification.CapacityReservationTarget !== undefined ||
    specification.CapacityReservationPreference === 'capacity-reservations-only';
  if (isGrouped || hasOwn || (tenancy !== 'default' && tenancy !== 'dedicated'))
    return { places: [], tenancy: 'default' };
  const asked = candidates.filter(
    ({ capacityReservation: own }) => own === undefined || own === 'open' || own === 'none',
  );
  const distinct = new Map(asked.map(({ az, instanceType }) => [keyOf({ az, instanceType }), { az, instanceType }]));
  return { places: [...distinct.values()].slice(0, PLACES_MAX), tenancy };
}

/** The plan that begins with what had room when it was asked; what had none comes last. */
export function withRoomFirst<P extends Pick<LaunchPlan, 'candidates'>>(plan: P, full: readonly PlaceToAsk[]): P {
  const isFull = new Set(full.map(keyOf));
  const [without, withRoom] = [true, false].map((wanted) =>
    plan.candidates.filter((one) => isFull.has(keyOf(one)) === wanted),
  );
  return { ...plan, candidates: [...(withRoom ?? []), ...(without ?? [])] };
}
