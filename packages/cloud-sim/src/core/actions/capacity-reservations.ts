import type {
  CancelCapacityReservationRequest,
  CancelCapacityReservationResult,
  CapacityReservation,
  CreateCapacityReservationRequest,
  CreateCapacityReservationResult,
  DescribeCapacityReservationsRequest,
  DescribeCapacityReservationsResult,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look, need } from '../lookup.ts';
import type { SimCapacityReservation } from '../model.ts';
import { page } from '../pages.ts';
import type { Call, Region } from '../region.ts';

const FILTERS: FilterTable<SimCapacityReservation> = {
  state: (one) => [one.state],
  'instance-type': (one) => [one.instanceType],
  'availability-zone': (one) => [one.az],
};

/**
 * Reserved places are not taken out of the zone's capacity. A reservation here is a name that a
 * launch may give, and its state.
 */
const view = (one: SimCapacityReservation): CapacityReservation => ({
  CapacityReservationId: one.id,
  AvailabilityZone: one.az,
  InstanceType: one.instanceType,
  TotalInstanceCount: one.count,
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
  return { CapacityReservations: items.map(view), NextToken: nextToken };
}

export function createCapacityReservation(
  region: Region,
  call: Call,
  input: CreateCapacityReservationRequest,
): CreateCapacityReservationResult {
  const { AvailabilityZone: az = '', InstanceType: instanceType = '', InstanceCount: count = 0 } = input;
  if (!region.zones.includes(az)) throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${az}]`);
  if (count < 1) throw new Ec2Error('InvalidParameterValue', `Invalid instance count ${count}`);
  const made: SimCapacityReservation = { id: region.newId('cr'), az, instanceType, count, state: 'active', tags: {} };
  region.capacityReservations.put(made, region.nowMs, call.instant);
  return { CapacityReservation: view(made) };
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
