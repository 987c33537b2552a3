import type { SeededInstance } from '@understudy/cloud-sim';
import { expect, test } from 'vitest';
import { KEYS, RecoveryFixture } from './recovery-fixture.ts';

/** A call without an answer stays open, whatever comes of the calls around it (S27, S28). */

/** A reattach whose data disk comes off, and that a person abandons then. */
async function abandoned(trouble: (scene: RecoveryFixture, volumeId: string) => void) {
  const scene = new RecoveryFixture({ policy: { recover: { strategy: 'reattach' } } });
  const old: SeededInstance = scene.seedMember(undefined, { dataVolumes: 1 });
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  const volumeId = old.volumeIds['/dev/sdf'] ?? '';
  trouble(scene, volumeId);
  const leader = scene.lead();
  const run = leader.engine.run(scene.intent(), leader.term);
  const journal = KEYS.journalOf(scene.intent().record.opId);
  const isOff = () =>
    scene.kv.entries(journal).some(({ key, value }) => key.endsWith(`detach-${volumeId}`) && value.includes('"done"'));
  for (let n = 0; n < 3_000 && !isOff(); n += 1) await scene.clock.advance(100);
  expect(isOff()).toBe(true);
  scene.ask('abandon');
  leader.engine.interrupt(scene.intent().record.opId);
  await scene.clock.runUntilSettled(run);
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  return scene;
}

const LATE = { id: 'late', action: 'DetachVolume', kind: 'late-landing', delayMs: 400_000, times: 1 } as const;

test.each([0, 1, 2])('a Detach without an answer is open, also when %i of it were refused before', async (refused) => {
  const scene = await abandoned(({ sim }, resourceId) => {
    const match = { resourceId };
    if (refused > 0) sim.addFault({ id: 'slow', action: 'DetachVolume', kind: 'throttle', times: refused, match });
    sim.addFault({ ...LATE, afterCalls: refused, match });
  });
  expect([scene.sim.fired('late'), scene.sim.fired('slow')]).toEqual([1, refused]);
  expect(scene.history()[0]?.lateCalls).toContain('detach');
});

test('a Detach without an answer is open, also when looks fail after the one that worked', async () => {
  const scene = await abandoned(({ sim }, resourceId) => {
    sim.addFault({ ...LATE, match: { resourceId } });
    let sent = 0;
    sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'DetachVolume') return;
      if (!JSON.stringify(event.input).includes(resourceId)) return;
      sent += 1;
      if (sent === 2)
        sim.addFault({ id: 'blind', action: 'DescribeVolumes', kind: 'error', code: 'InternalError', times: 12 });
    });
  });
  expect(scene.sim.fired('late')).toBe(1);
  expect(scene.sim.fired('blind')).toBeGreaterThan(0);
  expect(scene.history()[0]?.lateCalls).toContain('detach');
});
