import { expect, test } from 'vitest';
import { launch, runRequest, stateOf, testRegion } from './region.fixtures.ts';

interface Answer {
  readonly CapacityReservation?: { readonly CapacityReservationId: string };
  readonly CapacityReservations?: readonly { readonly State: string; readonly InstanceMatchCriteria: string }[];
}

function bench() {
  const one = testRegion();
  const [az = ''] = one.sim.zones;
  const asked = (over: object = {}) => ({
    ...{ AvailabilityZone: az, InstanceType: 't3.micro', InstanceCount: 1, InstancePlatform: 'Linux/UNIX' },
    ...over,
  });
  const reserve = async (over: object = {}) =>
    (await one.ok<Answer>('CreateCapacityReservation', asked(over))).CapacityReservation?.CapacityReservationId ?? '';
  const named = (id: string) => ({
    CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: id } },
  });
  return { one, az, asked, reserve, named };
}

test('a place is taken out of the zone’s capacity, and is the zone’s again once it is given back', async () => {
  const { one, az, asked, reserve, named } = bench();
  one.sim.setCapacity(az, 't3.micro', 1);
  const id = await reserve();
  expect((await one.refused('RunInstances', runRequest(one.sim))).name).toBe('InsufficientInstanceCapacity');
  expect((await one.refused('CreateCapacityReservation', asked())).name).toBe('InsufficientInstanceCapacity');
  await one.ok('CancelCapacityReservation', { CapacityReservationId: id });
  expect((await one.refused('CancelCapacityReservation', { CapacityReservationId: id })).name).toBe(
    'InvalidCapacityReservationState',
  );
  const again = await reserve();
  await one.clock.advance(60_000);
  await launch(one, named(again));
  expect(one.sim.core.region.capacity.get(`${az}/t3.micro`)).toBe(0);
});

test('what ran in one that has ended runs on, and cannot be started again', async () => {
  const { one, reserve, named } = bench();
  const id = await reserve({ InstanceMatchCriteria: 'targeted' });
  await one.clock.advance(60_000);
  const instanceId = await launch(one, named(id));
  while (stateOf(one, instanceId) !== 'running') await one.clock.advance(1_000);
  await one.ok('CancelCapacityReservation', { CapacityReservationId: id });
  await one.clock.advance(60_000);
  expect(stateOf(one, instanceId)).toBe('running');
  await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
  while (stateOf(one, instanceId) !== 'stopped') await one.clock.advance(1_000);
  expect((await one.refused('StartInstances', { InstanceIds: [instanceId] })).name).toBe(
    'InvalidCapacityReservationState',
  );
});

test('the same token is the same reservation, also after its end; another request under it is refused', async () => {
  const { one, asked, reserve } = bench();
  const id = await reserve({ ClientToken: 't' });
  await one.ok('CancelCapacityReservation', { CapacityReservationId: id });
  expect(await reserve({ ClientToken: 't' })).toBe(id);
  const other = asked({ ClientToken: 't', InstanceCount: 2 });
  expect((await one.refused('CreateCapacityReservation', other)).name).toBe('IdempotentParameterMismatch');
});

test('one with an end date is ended within an hour after it', async () => {
  const { one, reserve } = bench();
  const EndDate = new Date(one.clock.wallMs() + 600_000);
  await reserve({ EndDateType: 'limited', EndDate, InstanceMatchCriteria: 'targeted' });
  const shown = async () => (await one.ok<Answer>('DescribeCapacityReservations', {})).CapacityReservations?.[0];
  await one.clock.advance(700_000);
  expect(await shown()).toMatchObject({ State: 'active', InstanceMatchCriteria: 'targeted' });
  await one.clock.advance(3_600_000);
  expect(await shown()).toMatchObject({ State: 'expired' });
});

test.each([
  [{ InstancePlatform: 'Linux' }, 'InvalidParameterValue'],
  [{ Tenancy: 'host' }, 'InvalidParameterValue'],
  [{ InstanceCount: 0 }, 'InvalidParameterValue'],
  [{ EndDateType: 'limited' }, 'InvalidParameterCombination'],
  [{ EndDate: new Date(4e12) }, 'InvalidParameterCombination'],
  [{ EndDateType: 'limited', EndDate: new Date(0) }, 'InvalidParameterValue'],
])('a reservation with %j is refused', async (over, name) => {
  const { one, asked } = bench();
  expect((await one.refused('CreateCapacityReservation', asked(over))).name).toBe(name);
});
