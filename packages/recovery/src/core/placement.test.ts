import { describe, expect, it } from 'vitest';
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
};
const input = { ownSubnetId: 'subnet-a', ownInstanceType: 'm7i.large', subnets, baggage, typeFacts: NO_TYPE_FACTS };
const own = { subnetId: 'subnet-a', az: 'us-east-1a', instanceType: 'm7i.large' };

describe('placement candidates', () => {
  it('are the own subnet and type without a policy', () => {
    expect(placementsOf(input, { recover: { placements: [] } })).toEqual({
      candidates: [own],
      skipped: [],
      leaveAz: null,
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
});
