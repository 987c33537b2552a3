import type { CloudCapacityReservation, PlacementCandidate } from '@understudy/shared';
import { rawOf, textOf } from '@understudy/shared';
import type { Finding } from './finding.ts';

/**
 * Capacity reservations by id. Null: EC2 knows none. One that is missing was not asked about, or
 * the question was refused.
 */
export type ReservationFacts = ReadonlyMap<string, CloudCapacityReservation | null>;

/** A launch that takes one of its places. Null in a member: not known, or of no matter. */
export interface ReservedLaunch {
  readonly az: string;
  readonly instanceType: string;
  readonly platform: string | null;
  readonly tenancy: string | null;
}

/** It takes launches now, or will in time. */
const LIVE: ReadonlySet<string> = new Set(['active', 'pending', 'scheduled', 'assessing', 'delayed']);

export const isLiveReservation = (found: CloudCapacityReservation | null): boolean =>
  found !== null && LIVE.has(found.state);

/** Reservations say RHEL where an instance has the whole name. */
const platformName = (name: string): string => name.replace(/^RHEL\b/, 'Red Hat Enterprise Linux');

/** Why it will never take this launch. Null: nothing that is known speaks against it. */
export function reservationMisfit(
  id: string,
  found: CloudCapacityReservation | null | undefined,
  launch: ReservedLaunch,
): Finding | null {
  if (found === undefined) return null;
  if (found === null) return { code: 'PlacementReservationGone', text: `EC2 knows no capacity reservation ${id}` };
  if (!isLiveReservation(found))
    return { code: 'PlacementReservationGone', text: `the capacity reservation ${id} is ${found.state}` };
  const differs = (
    [
      ['zone', found.az, launch.az],
      ['type', found.instanceType, launch.instanceType],
      ['platform', found.platform && platformName(found.platform), launch.platform && platformName(launch.platform)],
      ['tenancy', found.tenancy, launch.tenancy],
    ] as const
  ).find(([, has, wants]) => has !== null && wants !== null && has !== wants);
  if (!differs) return null;
  const [what, has, wants] = differs;
  const text = `the capacity reservation ${id} is of ${what} ${has}, and the launch is of ${what} ${wants}`;
  return { code: 'PlacementReservationMisfit', text };
}

/** Why it takes no launch at present, although it may later. Null: as far as is known it does. */
export function reservationShortage(
  id: string,
  found: CloudCapacityReservation | null | undefined,
  freedPlaces = 0,
): string | null {
  if (!found) return null;
  if (found.state !== 'active') return `the capacity reservation ${id} is ${found.state}`;
  if (found.available === null || found.available + freedPlaces > 0) return null;
  return `the capacity reservation ${id} has no place left`;
}

/** The id in the member of a launch that says what of a reservation it uses. Null: none. */
export const reservationNamed = (launch: object): string | null =>
  textOf(rawOf(rawOf(rawOf(launch).CapacityReservationSpecification).CapacityReservationTarget).CapacityReservationId);

/** The id where a candidate names one. */
export const reservationOfCandidate = ({
  capacityReservation: named,
}: Pick<PlacementCandidate, 'capacityReservation'>) => (named?.startsWith('cr-') === true ? named : null);
