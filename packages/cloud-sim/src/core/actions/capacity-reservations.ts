import type {
  CancelCapacityReservationRequest,
  CancelCapacityReservationResult,
  CapacityReservation,
  CreateCapacityReservationRequest,
  CreateCapacityReservationResult,
  DescribeCapacityReservationsRequest,
  DescribeCapacityReservationsResult,
  RunInstancesRequest,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look, need } from '../lookup.ts';
import type { SimCapacityReservation, SimInstance } from '../model.ts';
import { page } from '../pages.ts';
import type { Call, Region } from '../region.ts';

const FILTERS: FilterTable<SimCapacityReservation> = {
  state: (one) => [one.state],
  'instance-type': (one) => [one.instanceType],
  'availability-zone': (one) => [one.az],
};

/** Instances in these states have a place of the reservation that their launch named. */
const TAKES_PLACE: ReadonlySet<string> = new Set(['pending', 'running', 'stopping', 'shutting-down']);

const targetOf = (input: RunInstancesRequest): string | undefined =>
  input.CapacityReservationSpecification?.CapacityReservationTarget?.CapacityReservationId;

/** The reservation in which it has a place at present. */
export const reservedPlaceOf = ({ state, request }: SimInstance): string | undefined =>
  TAKES_PLACE.has(state) ? targetOf(request) : undefined;

const placesLeft = (region: Region, { id, state, count }: SimCapacityReservation): number => {
  const taken = region.instances.all().filter((one) => reservedPlaceOf(one) === id);
  return state === 'active' ? Math.max(0, count - taken.length) : 0;
};

/**
 * EC2 has one word for a reservation that is full and for one of another zone, type or tenancy.
 * A launch that is only tried is not asked, as for other capacity.
 * @throws ReservationCapacityExceeded
 */
export function requireReservedPlace(region: Region, call: Call, input: RunInstancesRequest, az: string): void {
  const target = targetOf(input);
  if (target === undefined) return;
  const found = need(call, region.capacityReservations, 'capacityReservation', target);
  const fits =
    found.az === az &&
    found.instanceType === input.InstanceType &&
    found.tenancy === (input.Placement?.Tenancy ?? 'default');
  if (fits && placesLeft(region, found) > 0) return;
  const text = 'The requested reservation does not have sufficient compatible and available capacity for this request.';
  throw new Ec2Error('ReservationCapacityExceeded', text);
}

/** Reserved places are not taken out of the zone's capacity. */
const view = (region: Region, one: SimCapacityReservation): CapacityReservation => ({
  CapacityReservationId: one.id,
  AvailabilityZone: one.az,
  InstanceType: one.instanceType,
  InstancePlatform: one.platform as CapacityReservation['InstancePlatform'],
  Tenancy: one.tenancy as CapacityReservation['Tenancy'],
  TotalInstanceCount: one.count,
  AvailableInstanceCount: placesLeft(region, one),
  State: one.state,
  Tags: tagList(one.tags),
});

export function describeCapacityReservations(
  region: Region,
  call: Call,
  input: DescribeCapacityReservationsRequest,
): DescribeCapacityReservationsResult {
  const ids = input.CapacityReservationIds;
  const found = applyFilters(
    look(call, region.capacityReservations, 'capacityReservation', ids),
    input.Filters,
    FILTERS,
  );
  const { items, nextToken } = page('DescribeCapacityReservations', found, input, { min: 1, max: 1_000 }, ids);
  return { CapacityReservations: items.map((one) => view(region, one)), NextToken: nextToken };
}

export function createCapacityReservation(
  region: Region,
  call: Call,
  input: CreateCapacityReservationRequest,
): CreateCapacityReservationResult {
  const { AvailabilityZone: az = '', InstanceType: instanceType = '', InstanceCount: count = 0 } = input;
  const { InstancePlatform: platform = 'Linux/UNIX', Tenancy: tenancy = 'default' } = input;
  if (!region.zones.includes(az)) throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${az}]`);
  if (count < 1) throw new Ec2Error('InvalidParameterValue', `Invalid instance count ${count}`);
  const made: SimCapacityReservation = {
    ...{ id: region.newId('cr'), az, instanceType, count, platform, tenancy },
    ...{ state: 'active', tags: {} },
  };
  region.capacityReservations.put(made, region.nowMs, call.instant);
  return { CapacityReservation: view(region, made) };
}

export function cancelCapacityReservation(
  region: Region,
  call: Call,
  input: CancelCapacityReservationRequest,
): CancelCapacityReservationResult {
  const { id } = need(call, region.capacityReservations, 'capacityReservation', input.CapacityReservationId);
  region.capacityReservations.update(id, { state: 'cancelled' }, region.nowMs, call.instant);
  return { Return: true };
}
