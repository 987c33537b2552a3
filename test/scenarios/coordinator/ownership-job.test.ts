import { expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB = 'prod/db1';

/** A member that was replaced, with its Elastic IP where it was put. */
async function replaced() {
  const world = new ScenarioCluster();
  const { instanceId } = world.seed(DB, { az: 'us-east-1a', elasticIp: true });
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  world.crash(instanceId);
  await world.until('replaced', () => world.history(DB).length > 0, 900_000);
  const [address] = world.sim.core.region.addresses.all();
  if (!address) throw new Error('there is no address');
  const associationOf = () => world.sim.core.region.addresses.get(address.id)?.associationId ?? null;
  expect(associationOf()).not.toBeNull();
  const take = () => world.sim.seed('DisassociateAddress', { AssociationId: associationOf() });
  return { world, associationOf, take };
}

test('an address that somebody takes off after a recovery is put back by the leader', async () => {
  const { world, associationOf, take } = await replaced();
  take();
  expect(associationOf()).toBeNull();
  await world.until('put back', () => associationOf() !== null, 300_000);
});

test('not while the member is paused: a person is at work on it', async () => {
  const { world, associationOf, take } = await replaced();
  world.pause('global');
  await world.clock.advance(2_000);
  take();
  await world.clock.advance(600_000);
  expect(associationOf()).toBeNull();
});
