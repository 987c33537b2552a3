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
import { giveCapacityBack, takeCapacity } from './capacity.ts';
import type { SimCapacityReservation, SimInstance } from '../model.ts';
import { page } from '../pages.ts';
import { tagsFor } from '../tags.ts';
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
 * A launch that is only tried is not asked, as for other capacity. True: it takes a place that was
 * taken out of the zone's capacity when it was reserved.
 * @throws ReservationCapacityExceeded
 */
export function requireReservedPlace(region: Region, call: Call, input: RunInstancesRequest, az: string): boolean {
  const target = targetOf(input);
  if (target === undefined) return false;
  const found = need(call, region.capacityReservations, 'capacityReservation', target);
  const fits =
    found.az === az &&
    found.instanceType === input.InstanceType &&
    found.tenancy === (input.Placement?.Tenancy ?? 'default');
  if (fits && placesLeft(region, found) > 0) return true;
  const text = 'The requested reservation does not have sufficient compatible and available capacity for this request.';
  throw new Ec2Error('ReservationCapacityExceeded', text);
}

/**
 * A stopped instance that names a reservation starts in it only. False: it names none.
 * @throws InvalidCapacityReservationState, ReservationCapacityExceeded
 */
export function requirePlaceAgain(region: Region, call: Call, { request, az }: SimInstance): boolean {
  const target = targetOf(request);
  if (target === undefined) return false;
  const { id, state } = need(call, region.capacityReservations, 'capacityReservation', target);
  if (state !== 'active')
    throw new Ec2Error('InvalidCapacityReservationState', `The capacity reservation ${id} is ${state}.`);
  return requireReservedPlace(region, call, request, az);
}

const view = (region: Region, one: SimCapacityReservation): CapacityReservation => ({
  CapacityReservationId: one.id,
  AvailabilityZone: one.az,
  InstanceType: one.instanceType,
  InstancePlatform: one.platform as CapacityReservation['InstancePlatform'],
  Tenancy: one.tenancy as CapacityReservation['Tenancy'],
  TotalInstanceCount: one.count,
  InstanceMatchCriteria: one.matches,
  EndDateType: one.endsAtWallMs === null ? 'unlimited' : 'limited',
  ...(one.endsAtWallMs !== null && { EndDate: new Date(one.endsAtWallMs) }),
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

/** EC2's words (API reference, CreateCapacityReservation). */
const PLATFORMS: ReadonlySet<string> = new Set([
  ...['Linux/UNIX', 'Red Hat Enterprise Linux', 'SUSE Linux', 'Windows', 'Windows with SQL Server'],
  ...['Enterprise', 'Standard', 'Web'].map((edition) => `Windows with SQL Server ${edition}`),
  ...['Standard', 'Web', 'Enterprise'].map((edition) => `Linux with SQL Server ${edition}`),
  ...['SQL Server Standard', 'SQL Server Enterprise', 'HA', 'HA and SQL Server Standard'].map(
    (with_) => `RHEL with ${with_}`,
  ),
  ...['RHEL with HA and SQL Server Enterprise', 'Ubuntu Pro'],
]);

/** EC2 ends it within an hour after its end date: as late as it may. */
const ENDS_LATE_MS = 3_600_000;

/** Null: it does not end by itself. @throws InvalidParameterValue, InvalidParameterCombination */
function endOf(region: Region, { EndDateType: type = 'unlimited', EndDate }: CreateCapacityReservationRequest) {
  if (type === 'limited' && EndDate === undefined)
    throw new Ec2Error('InvalidParameterCombination', 'EndDate is required when EndDateType is limited');
  if (type === 'unlimited' && EndDate !== undefined)
    throw new Ec2Error('InvalidParameterCombination', 'EndDate is not allowed when EndDateType is unlimited');
  if (EndDate === undefined) return null;
  const endsAtWallMs = new Date(EndDate).getTime();
  if (!(endsAtWallMs > region.wallMs())) throw new Ec2Error('InvalidParameterValue', 'EndDate must be in the future');
  return endsAtWallMs;
}

function checkReservation(region: Region, input: CreateCapacityReservationRequest): void {
  const { AvailabilityZone: az = '', InstanceType: type = '', InstanceCount: count = 0 } = input;
  const { InstancePlatform: platform = '', Tenancy: tenancy = 'default' } = input;
  const refuse = (text: string): never => {
    throw new Ec2Error('InvalidParameterValue', text);
  };
  if (!region.zones.includes(az)) refuse(`Invalid availability zone: [${az}]`);
  if (count < 1) refuse(`Invalid instance count ${count}`);
  if (!PLATFORMS.has(platform)) refuse(`Invalid value '${platform}' for InstancePlatform`);
  if (tenancy !== 'default' && tenancy !== 'dedicated') refuse(`Invalid value '${String(tenancy)}' for Tenancy`);
  if (region.instances.size + count > region.quotas.instances)
    throw new Ec2Error('InstanceLimitExceeded', `You have requested more ${type} capacity than your limit allows.`);
}

/** `CreateCapacityReservation`, idempotent by token, also of one that was cancelled since. */
export function createCapacityReservation(
  region: Region,
  call: Call,
  input: CreateCapacityReservationRequest,
): CreateCapacityReservationResult {
  const { ClientToken: token, DryRun: _dryRun, ...parameters } = input;
  const scope = 'CreateCapacityReservation';
  const [knownId] = token ? (region.tokens.recall(scope, token, parameters) ?? []) : [];
  const known = knownId === undefined ? undefined : region.capacityReservations.get(knownId);
  if (known) return { CapacityReservation: view(region, known) };
  checkReservation(region, input);
  const { AvailabilityZone: az = '', InstanceType: instanceType = '', InstanceCount: count = 0 } = input;
  const { InstancePlatform: platform = '', Tenancy: tenancy = 'default' } = input;
  const endsAtWallMs = endOf(region, input);
  region.requireZone(az);
  takeCapacity(region, call, az, instanceType, count);
  const made: SimCapacityReservation = {
    ...{ id: region.newId('cr'), az, instanceType, count, platform, tenancy, endsAtWallMs },
    matches: input.InstanceMatchCriteria ?? 'open',
    ...{ state: 'active', tags: tagsFor(input.TagSpecifications, 'capacity-reservation') },
  };
  region.capacityReservations.put(made, region.nowMs, call.instant);
  if (token) region.tokens.record(scope, token, parameters, [made.id]);
  if (endsAtWallMs !== null)
    region.schedule.at(region.nowMs + endsAtWallMs - region.wallMs() + ENDS_LATE_MS, () => end(region, made.id));
  return { CapacityReservation: view(region, made) };
}

/** Its unused places are the zone's again; what runs in it runs on. */
function release(region: Region, one: SimCapacityReservation): void {
  giveCapacityBack(region, one.az, one.instanceType, placesLeft(region, one));
}

function end(region: Region, id: string): void {
  const one = region.capacityReservations.get(id);
  if (one?.state !== 'active') return;
  release(region, one);
  region.capacityReservations.update(id, { state: 'expired' }, region.nowMs, true);
}

/** `CancelCapacityReservation`. @throws InvalidCapacityReservationState where it has ended */
export function cancelCapacityReservation(
  region: Region,
  call: Call,
  input: CancelCapacityReservationRequest,
): CancelCapacityReservationResult {
  const one = need(call, region.capacityReservations, 'capacityReservation', input.CapacityReservationId);
  const truth = region.capacityReservations.get(one.id);
  if (truth?.state !== 'active')
    throw new Ec2Error('InvalidCapacityReservationState', `The capacity reservation ${one.id} is ${one.state}.`);
  release(region, truth);
  region.capacityReservations.update(one.id, { state: 'cancelled' }, region.nowMs, call.instant);
  return { Return: true };
}
