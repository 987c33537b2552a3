import { expect, test } from 'vitest';
import { checkKept, closedBy, hungMember } from './in-place-scene.ts';

/** A leader asks EC2 to stop the member, and another leads from `afterMs` after its call on. */
async function succeeded(afterMs: number) {
  const { scene, old } = await hungMember('stop-start');
  const first = scene.lead();
  const run = first.engine.run(scene.intent(), first.term);
  const stops = () => scene.sim.log.calls().filter((one) => one.action === 'StopInstances').length;
  while (stops() === 0) await scene.clock.advance(50);
  await scene.clock.advance(1_000);
  first.endTerm();
  await scene.clock.runUntilSettled(run);
  await scene.clock.advance(afterMs);
  const second = scene.lead();
  await closedBy(scene, second);
  checkKept(scene, old, 'mended');
  return { scene, stops };
}

test.each([
  ['stopping', 0],
  ['stopped', 120_000],
])('a stop that a leader before has sent, and that is seen (%s), is not open any more', async (_, afterMs) => {
  const { scene, stops } = await succeeded(afterMs);
  expect(stops(), 'the successor has asked as well').toBeGreaterThan(1);
  // What counts as open would have an operator's stop, 15 minutes from now, taken for ours.
  expect(scene.history()[0]?.lateCalls).toBeUndefined();
});

test('a stop that a leader before has sent, and that nobody has seen, stays open', async () => {
  const { scene, old } = await hungMember('stop-start', { settings: { sendLimitMs: 5_000 } });
  scene.sim.addFault({ id: 'lost', action: 'StopInstances', kind: 'late-landing', delayMs: 3_600_000 });
  const first = scene.lead();
  const run = first.engine.run(scene.intent(), first.term);
  await scene.clock.advance(2_000);
  const second = scene.lead();
  first.endTerm();
  await scene.clock.runUntilSettled(run);
  await closedBy(scene, second);
  checkKept(scene, old, 'mended');
  expect(scene.history()[0]?.lateCalls).toEqual(['stop']);
});
