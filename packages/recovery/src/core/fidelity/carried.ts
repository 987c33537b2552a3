import { type PlacementCandidate, type PlannedVolume, rawOf, type SnapshotAndReplacePlan } from '@understudy/shared';
import { canonical } from '../launch-tags.ts';
import type { PlanInput } from '../plan-input.ts';
import { isBurstable } from './compute.ts';
import type { CarriedPlan, Circumstances, FidelityRow, Getters, ImageDraft, LaunchMember } from './row.ts';
import { FIDELITY } from './table.ts';

/** A member of the launch with the row it is of. */
interface CarriedMember extends LaunchMember {
  readonly name: string;
  readonly row: FidelityRow;
}

const membersOf = (part: 'launch' | 'placement'): readonly CarriedMember[] =>
  FIDELITY.flatMap((row) =>
    Object.entries(row.carry?.[part] ?? {}).map(([name, member]) => ({ ...member, name, row })),
  );

const LAUNCH = membersOf('launch');
const IN_PLACEMENT = membersOf('placement');

type From = Pick<Circumstances, 'input' | 'policy'>;

/**
 * The members of RunInstances that do not depend on the attempt, in the SDK's names, JSON only.
 * InstanceType and Placement.AvailabilityZone are the failed instance's own: {@link baseFor}
 * compares them with a candidate. What names something that is gone is left out; the plan is
 * refused beforehand where that may not be.
 */
export function launchBaseOf(from: From): Record<string, unknown> {
  const { references } = from.input;
  const valuesOf = (members: readonly CarriedMember[]) =>
    Object.fromEntries(
      members
        .filter(({ row }) => row.names?.existence(references) !== 'gone')
        .map(({ name, value }) => [name, value(from)]),
    );
  return rawOf(canonical({ ...valuesOf(LAUNCH), Placement: valuesOf(IN_PLACEMENT) }));
}

/** Members that this instance has and that a candidate of another type is launched without. */
export const typeBoundOf = (from: From): readonly string[] =>
  LAUNCH.filter(({ boundTo, value }) => boundTo === 'type' && value(from) !== undefined).map(({ name }) => name);

/**
 * `launchBase` for one candidate: it holds the failed instance's own type and zone, and what is
 * bound to either is left out elsewhere (`losses` says so).
 */
export function baseFor(launchBase: Readonly<Record<string, unknown>>, candidate: PlacementCandidate): object {
  const base: Record<string, unknown> = { ...launchBase };
  const placement: Record<string, unknown> = { ...rawOf(base.Placement) };
  const isOwnType = base.InstanceType === candidate.instanceType;
  const stays: Record<NonNullable<LaunchMember['boundTo']>, boolean> = {
    type: isOwnType,
    'burstable-type': isOwnType || isBurstable(candidate.instanceType),
    zone: placement.AvailabilityZone === candidate.az,
  };
  const goes = ({ boundTo }: LaunchMember) => boundTo !== undefined && !stays[boundTo];
  for (const { name } of LAUNCH.filter(goes)) delete base[name];
  for (const { name } of IN_PLACEMENT.filter(goes)) delete placement[name];
  // Named although the network interface implies it: the token's scope is then zonal by the letter
  // of the documentation.
  base.Placement = { ...placement, AvailabilityZone: candidate.az };
  const reservation = reservationFor(candidate);
  if (reservation) base.CapacityReservationSpecification = reservation;
  return base;
}

/** What the candidate uses of a capacity reservation; null: what the failed instance used. */
function reservationFor({ capacityReservation: named }: PlacementCandidate): object | null {
  if (named === undefined) return null;
  if (named === 'open' || named === 'none') return { CapacityReservationPreference: named };
  if (named === 'only') return { CapacityReservationPreference: 'capacity-reservations-only' };
  return {
    CapacityReservationTarget: named.startsWith('cr-')
      ? { CapacityReservationId: named }
      : { CapacityReservationResourceGroupArn: named },
  };
}

const DISK = FIDELITY.flatMap((row) => Object.entries(row.carry?.disk ?? {}));

/** What a launch says of one disk, beside its snapshot and its end; `undefined`: not said. */
export const diskMembersOf = (volume: PlannedVolume): Record<string, unknown> =>
  Object.fromEntries(DISK.map(([name, value]) => [name, value(volume)]));

/** The getter of each field, from the one row that has it; a test holds that there is one. */
const joined = <T, From>(parts: readonly (Getters<T, From> | undefined)[]): Required<Getters<T, From>> =>
  Object.assign({}, ...parts);

const IMAGE = joined<ImageDraft, PlanInput>(FIDELITY.map((row) => row.carry?.image));
const PLAN = joined<CarriedPlan, Circumstances>(FIDELITY.map((row) => row.carry?.plan));

type Image = SnapshotAndReplacePlan['image'];

/** What RegisterImage must be told; null when architecture or root device are unknown. */
export function imageOf(input: PlanInput): Image | null {
  const architecture = IMAGE.architecture(input);
  const rootDeviceName = IMAGE.rootDeviceName(input);
  if (architecture === null || rootDeviceName === null) return null;
  return {
    rootDeviceName,
    architecture,
    bootMode: IMAGE.bootMode(input),
    enaSupport: IMAGE.enaSupport(input),
    tpmSupport: IMAGE.tpmSupport(input),
    sriovNetSupport: IMAGE.sriovNetSupport(input),
    virtualizationType: IMAGE.virtualizationType(input),
    imdsSupport: IMAGE.imdsSupport(input),
  };
}

/** Absent where there is none, as in plans from before it. */
const unlessEmpty = <Name extends 'assigned' | 'interfaces'>(
  name: Name,
  items: CarriedPlan[Name],
): Pick<CarriedPlan, Name> | object => (items && items.length > 0 ? { [name]: items } : {});

/** Absent where it is EC2's default, as in plans from before it. */
const unlessDefault = <
  Name extends 'interfaceType' | 'connectionTracking' | 'rebootMigration' | 'dnsRecords' | 'primaryAddress',
>(
  name: Name,
  value: CarriedPlan[Name],
): Pick<CarriedPlan, Name> | object => (value === undefined ? {} : { [name]: value });

/** The fields of a plan that carry attributes, in the order of the record. */
export const carriedPlanOf = (circumstances: Circumstances, image: Image): CarriedPlan & { readonly image: Image } => ({
  volumes: PLAN.volumes(circumstances),
  addresses: PLAN.addresses(circumstances),
  ...unlessEmpty('assigned', PLAN.assigned(circumstances)),
  ...unlessEmpty('interfaces', PLAN.interfaces(circumstances)),
  candidates: PLAN.candidates(circumstances),
  image,
  securityGroupIds: PLAN.securityGroupIds(circumstances),
  primaryInterfaceId: PLAN.primaryInterfaceId(circumstances),
  sourceDestCheck: PLAN.sourceDestCheck(circumstances),
  networkInterfaceTags: PLAN.networkInterfaceTags(circumstances),
  ...unlessDefault('interfaceType', PLAN.interfaceType(circumstances)),
  ...unlessDefault('connectionTracking', PLAN.connectionTracking(circumstances)),
  ...unlessDefault('rebootMigration', PLAN.rebootMigration(circumstances)),
  ...unlessDefault('dnsRecords', PLAN.dnsRecords(circumstances)),
  ...unlessDefault('primaryAddress', PLAN.primaryAddress(circumstances)),
  protection: PLAN.protection(circumstances),
  oldLaunchedAtWallMs: PLAN.oldLaunchedAtWallMs(circumstances),
  instanceTags: PLAN.instanceTags(circumstances),
});

/**
 * What of the identity moves with the member, where it is put on a machine that is there already.
 */
export const carriedIdentityOf = (circumstances: Circumstances) => ({
  addresses: PLAN.addresses(circumstances),
  ...unlessEmpty('assigned', PLAN.assigned(circumstances)),
  ...unlessEmpty('interfaces', PLAN.interfaces(circumstances)),
});

/** The fields of a plan whose instance stays: what it has is looked at, and nothing is carried. */
export const keptPlanOf = (circumstances: Circumstances) => ({
  volumes: PLAN.volumes(circumstances),
  addresses: [],
  primaryInterfaceId: PLAN.primaryInterfaceId(circumstances),
  protection: PLAN.protection(circumstances),
  oldLaunchedAtWallMs: PLAN.oldLaunchedAtWallMs(circumstances),
});
