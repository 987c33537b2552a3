import { expect, test } from 'vitest';
import { ask, DB1, HOUR_MS, MINUTE_MS, replaced, undo } from './undo-staged.ts';

const FULL = { code: 'InsufficientInstanceCapacity', httpStatus: 500 } as const;

test('a start of an undo that was called off lands under another leader, which stops it again', async () => {
  const staged = await replaced();
  const { world, old, present } = staged;
  world.sim.addFault({ id: 'late', action: 'StartInstances', kind: 'late-landing', delayMs: 5 * MINUTE_MS, times: 1 });
  world.sim.addFault({ id: 'full', action: 'StartInstances', kind: 'error', times: 1, afterCalls: 1, ...FULL });
  await ask(staged, undo(HOUR_MS));
  const closed = () => world.history(DB1).find((one) => one.strategy === 'undo');
  await world.until('called off', () => closed() !== undefined, HOUR_MS);
  expect(world.sim.fired('late')).toBe(1);
  expect(closed()).toMatchObject({ outcome: 'mended', lateStart: { instanceId: old } });
  world.kill(world.mustLead());
  const stateOf = (id: string) => world.sim.core.region.instances.get(id)?.state;
  await world.until('it lands', () => stateOf(old) === 'running' || stateOf(old) === 'pending', 20 * MINUTE_MS);
  await world.until('stopped again', () => stateOf(old) === 'stopped', 5 * MINUTE_MS);
  await world.until('settled', () => closed()?.lateStart?.settledAtWallMs !== undefined, 20 * MINUTE_MS);
  expect(closed()?.lateStart?.stoppedAtWallMs).toBeGreaterThan(0);
  expect(world.activation(DB1)?.instanceId).toBe(present);
  expect([stateOf(old), stateOf(present)]).toEqual(['stopped', 'running']);
  await world.until('nothing holds it', () => world.hold(DB1) === null, 5 * MINUTE_MS);
  world.expectHealthy();
});
