import type { LaunchPlan } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { placesToAsk, withRoomFirst } from './places-to-reserve.ts';

type Candidate = LaunchPlan['candidates'][number];

const at = (az: string, instanceType = 'm5.large', capacityReservation?: string): Candidate => ({
  ...{ az, instanceType, subnetId: `subnet-${az}` },
  ...(capacityReservation !== undefined && { capacityReservation }),
});

const asked = (candidates: readonly Candidate[], launchBase: object = {}) =>
  placesToAsk({ candidates: [...candidates], launchBase: launchBase as LaunchPlan['launchBase'] });

describe('places that a suspect’s launch may need', () => {
  test('are one a zone and type, in the order of the plan, four at most', () => {
    const all = ['a', 'a', 'b', 'c', 'd', 'e'].map((az) => at(az));
    expect(asked(all).places.map(({ az }) => az)).toEqual(['a', 'b', 'c', 'd']);
    expect(asked([at('a'), at('a', 'm5.xlarge')]).places).toHaveLength(2);
  });

  test('are not those of candidates with a reservation of their own', () => {
    const own = ['cr-1', 'only', 'arn:aws:resource-groups:x:1:group/g'].map((name) => at('a', 'm5.large', name));
    expect(asked([...own, at('b')]).places.map(({ az }) => az)).toEqual(['b']);
    expect(asked([at('a', 'm5.large', 'open'), at('b', 'm5.large', 'none')]).places).toHaveLength(2);
  });

  test.each([
    ['a target of its own', { CapacityReservationSpecification: { CapacityReservationTarget: {} } }],
    [
      'only reservations',
      { CapacityReservationSpecification: { CapacityReservationPreference: 'capacity-reservations-only' } },
    ],
    ['a placement group', { Placement: { GroupName: 'g' } }],
    ['a placement group by its id', { Placement: { GroupId: 'pg-1' } }],
    ['a Dedicated Host', { Placement: { Tenancy: 'host' } }],
  ])('are none where the member has %s', (_, base) => expect(asked([at('a')], base).places).toEqual([]));

  test('have the tenancy of the launch', () => {
    expect(asked([at('a')], { Placement: { Tenancy: 'dedicated' } }).tenancy).toBe('dedicated');
    expect(asked([at('a')]).tenancy).toBe('default');
  });

  test('that have no room come last, the others stay in their order', () => {
    const plan = { candidates: ['a', 'b', 'c'].map((az) => at(az)) };
    const { candidates } = withRoomFirst(plan, [{ az: 'a', instanceType: 'm5.large' }]);
    expect(candidates.map(({ az }) => az)).toEqual(['b', 'c', 'a']);
    expect(withRoomFirst(plan, [{ az: 'a', instanceType: 'm5.xlarge' }])).toEqual(plan);
  });
});
