import { describe, expect, it } from 'vitest';
import { baseFor } from './fidelity/carried.ts';
import { NO_TYPE_FACTS } from './candidate-fit.ts';
import { planInputFixture } from './plan.fixture.ts';
import { placementsOf } from './placement.ts';

const { subnets } = planInputFixture();
const baggage = {
  architecture: 'x86_64',
  virtualizationType: 'hvm',
  bootMode: null,
  enaSupport: true,
  hasTpm: false,
  volumeCount: 2,
  platform: 'Linux/UNIX',
  tenancy: 'default',
};
const input = { ownSubnetId: 'subnet-a', ownInstanceType: 'm7i.large', subnets, baggage, typeFacts: NO_TYPE_FACTS };
const own = { subnetId: 'subnet-a', az: 'us-east-1a', instanceType: 'm7i.large' };

describe('placement candidates', () => {
  it('are the own subnet and type without a policy', () => {
    expect(placementsOf(input, { recover: { placements: [] } })).toEqual({
      candidates: [own],
      skipped: [],
      leaveAz: null,
      zonesNamed: [],
    });
  });

  it("are the policy's, in its order, each once, with the zone of its subnet", () => {
    const placements = [{ subnetId: 'subnet-b' }, { subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }];
    const more = [...placements, { subnetId: 'subnet-b', instanceType: 'm6i.large' }];
    expect(placementsOf(input, { recover: { placements: more } }).candidates).toEqual([
      { subnetId: 'subnet-b', az: 'us-east-1b', instanceType: 'm7i.large' },
      own,
      { subnetId: 'subnet-b', az: 'us-east-1b', instanceType: 'm6i.large' },
    ]);
  });

  it('are none in a lost zone, and each one left out is named', () => {
    const placements = [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }];
    const found = placementsOf(input, { recover: { placements } }, 'us-east-1a');
    expect(found.candidates.map((one) => one.az)).toEqual(['us-east-1b']);
    expect(found.skipped).toEqual([
      { code: 'PlacementInLostZone', text: 'subnet subnet-a is in us-east-1a, which is lost' },
    ]);
    expect(placementsOf(input, { recover: { placements: [] } }, 'us-east-1a').candidates).toEqual([]);
  });

  const grid = { subnets: ['subnet-a', 'subnet-b'], instanceTypes: ['m7i.large', 'm6i.large'] };
  const placesOf = (order: 'zones-first' | 'types-first', more: object = {}) =>
    placementsOf(input, { recover: { placements: [], places: { ...grid, order, ...more } } }).candidates;

  it('are every combination of subnets and types: another zone first, or another type first', () => {
    const named = (order: 'zones-first' | 'types-first') =>
      placesOf(order).map((one) => `${one.instanceType} ${one.az}`);
    expect(named('zones-first')).toEqual([
      ...['m7i.large us-east-1a', 'm7i.large us-east-1b', 'm6i.large us-east-1a', 'm6i.large us-east-1b'],
    ]);
    expect(named('types-first')).toEqual([
      ...['m7i.large us-east-1a', 'm6i.large us-east-1a', 'm7i.large us-east-1b', 'm6i.large us-east-1b'],
    ]);
  });

  it('are the own type in every subnet, or every type in the own subnet, where one is left out', () => {
    expect(placesOf('zones-first', { instanceTypes: [] }).map((one) => one.az)).toEqual(['us-east-1a', 'us-east-1b']);
    expect(placesOf('zones-first', { subnets: [] }).map((one) => one.instanceType)).toEqual(['m7i.large', 'm6i.large']);
  });

  it('come behind those that are listed, each once', () => {
    const places = { ...grid, order: 'zones-first' as const };
    const found = placementsOf(input, { recover: { placements: [{ subnetId: 'subnet-b' }], places } }).candidates;
    expect(found.map((one) => `${one.instanceType} ${one.az}`)).toEqual([
      ...['m7i.large us-east-1b', 'm7i.large us-east-1a', 'm6i.large us-east-1a', 'm6i.large us-east-1b'],
    ]);
  });

  it('carry a capacity reservation of their own, once every coordinator knows of it', () => {
    const placements = [{ subnetId: 'subnet-a', capacityReservation: 'cr-1' }, { subnetId: 'subnet-b' }];
    const at = (level: number) => placementsOf({ ...input, level }, { recover: { placements } });
    expect(at(2).candidates).toEqual([
      { ...own, capacityReservation: 'cr-1' },
      { ...own, subnetId: 'subnet-b', az: 'us-east-1b' },
    ]);
    expect(at(1).candidates.map((one) => one.az)).toEqual(['us-east-1b']);
    expect(at(1).skipped.map((one) => one.code)).toEqual(['PlacementNeedsLevel']);
  });

  it.each([
    ['open', { CapacityReservationPreference: 'open' }],
    ['none', { CapacityReservationPreference: 'none' }],
    ['only', { CapacityReservationPreference: 'capacity-reservations-only' }],
    ['cr-1', { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } }],
    [
      'arn:aws:resource-groups:x',
      { CapacityReservationTarget: { CapacityReservationResourceGroupArn: 'arn:aws:resource-groups:x' } },
    ],
  ])('with the reservation %s launch with it', (capacityReservation, shown) => {
    const base = {
      InstanceType: 'm7i.large',
      CapacityReservationSpecification: { CapacityReservationPreference: 'none' },
    };
    expect(baseFor(base, { ...own, capacityReservation })).toMatchObject({ CapacityReservationSpecification: shown });
  });
});
