import { describe, expect, test } from 'vitest';
import { ownStopOf } from '@understudy/coordinator/testing';
import { checkFinished } from './checks.ts';
import { closedBy, hungMember } from './in-place-scene.ts';
import { AS_RUNG, staged } from './reattach-scene.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';

const MINUTE_MS = 60_000;

/** What the judge would say of the instance now that it is stopped. */
async function ownStop(scene: RecoveryFixture, instanceId: string) {
  const looking = scene.newCloud().describeInstances({ 'instance-id': [instanceId] });
  const [instance] = await scene.clock.runUntilSettled(looking);
  expect(instance?.state).toBe('stopped');
  return ownStopOf({
    ...{ instanceId, tags: {}, journalOpId: null, history: scene.history() },
    ...{ launchedAtWallMs: instance?.launchedAtWallMs ?? null, lastHeardWallMs: null },
  });
}

const stopProtection = async (scene: RecoveryFixture, instanceId: string): Promise<boolean> =>
  (await scene.clock.runUntilSettled(scene.newCloud().describeProtection(instanceId))).stop;

test.each(['pending', 'running'] as const)(
  'a start of ours that EC2 ends while it is %s is nobody else’s: the failure goes on',
  async (when) => {
    const { scene, old } = await hungMember('stop-start');
    let fails = 0;
    scene.sim.onEvent((event) => {
      if (event.kind !== 'transition' || event.resourceId !== old.instanceId || event.to !== when) return;
      fails += 1;
      scene.sim.core.takeDown(old.instanceId, 'Client.InvalidKMSKey.InvalidState', 'stop');
    });
    await closedBy(scene, scene.lead());
    expect(fails).toBeGreaterThanOrEqual(1);
    const [ended] = scene.history();
    expect(ended).toMatchObject({ outcome: 'not-mended', fencedBy: 'stopped' });
    expect(ended?.lastLaunchedAtWallMs).toBeGreaterThan(ended?.oldLaunchedAtWallMs ?? Number.POSITIVE_INFINITY);
    await scene.clock.advance(MINUTE_MS);
    expect(await ownStop(scene, old.instanceId)).toMatchObject({ opId: ended?.opId, goesOn: true });
  },
);

describe('a Stop that is open', () => {
  test('when a reattach is given up is in its history', async () => {
    const { scene, old } = await staged(AS_RUNG, (it) => {
      it.silent.add('*');
      it.sim.addFault({ id: 's', action: 'StopInstances', kind: 'late-landing', delayMs: 10 * MINUTE_MS, times: 1 });
    });
    await scene.run(scene.lead(), scene.intent());
    expect(scene.sim.fired('s')).toBe(1);
    expect(scene.history()).toMatchObject([{ outcome: 'not-mended', lateCalls: ['stop'] }]);
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.advance(11 * MINUTE_MS);
    expect(await ownStop(scene, old.instanceId)).toMatchObject({ goesOn: true });
  });

  test("and that was for the seed, may be ours or a person's when the replacement is stopped", async () => {
    const { scene, old } = await staged();
    const late = { id: 'seed', action: 'StopInstances', kind: 'late-landing', delayMs: 10 * MINUTE_MS } as const;
    scene.sim.addFault({ ...late, afterCalls: 1, times: 1 });
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.sim.fired('seed')).toBe(1);
    const replacement = checkFinished(scene, old);
    expect(scene.history()).toMatchObject([{ outcome: 'replaced', lateCalls: ['stop'] }]);
    await scene.clock.advance(11 * MINUTE_MS);
    expect(await ownStop(scene, replacement)).toMatchObject({ inDoubt: true, abandoned: false });
  });
});

describe('a start that is open', () => {
  test('is not forgotten once another one has worked', async () => {
    const { scene } = await hungMember('stop-start', { settings: { sendLimitMs: 5_000 } });
    const late = { id: 'late', action: 'StartInstances', kind: 'late-landing', delayMs: 30 * MINUTE_MS } as const;
    scene.sim.addFault({ ...late, times: 1 });
    await closedBy(scene, scene.lead());
    expect(scene.sim.fired('late')).toBe(1);
    expect(scene.history()).toMatchObject([{ outcome: 'mended', lateCalls: ['start'] }]);
  });

  test('is not counted where it is the one that worked', async () => {
    const { scene } = await hungMember('stop-start', { settings: { sendLimitMs: 5_000 } });
    scene.sim.addFault({ id: 'lost', action: 'StartInstances', kind: 'timeout-after-success', times: 1 });
    await closedBy(scene, scene.lead());
    expect(scene.sim.fired('lost')).toBe(1);
    expect(scene.history()[0]).toMatchObject({ outcome: 'mended' });
    expect(scene.history()[0]?.lateCalls).toBeUndefined();
  });

  test('when a person abandons the recovery is in its history', async () => {
    const { scene } = await hungMember('stop-start', { settings: { sendLimitMs: 5_000 } });
    scene.sim.addFault({ id: 'never', action: 'StartInstances', kind: 'timeout-before', times: 1_000 });
    const leader = scene.lead();
    const run = leader.engine.run(scene.intent(), leader.term);
    for (let i = 0; i < 4_000 && scene.sim.fired('never') === 0; i += 1) await scene.clock.advance(100);
    expect(scene.sim.fired('never')).toBe(1);
    scene.ask('abandon');
    leader.engine.interrupt(scene.intent().record.opId);
    await scene.clock.runUntilSettled(run);
    if (scene.history().length === 0) await scene.run(leader, scene.intent());
    expect(scene.history()).toMatchObject([{ outcome: 'abandoned', lateCalls: ['start'] }]);
  });
});

describe('stop protection that the fence took off is put back, for the next way to carry over', () => {
  const PROTECTED = { request: { DisableApiStop: true } } as const;

  test('where stop-start does not help', async () => {
    const { scene, old } = await hungMember('stop-start', PROTECTED);
    scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
    await closedBy(scene, scene.lead());
    expect(scene.history()).toMatchObject([{ outcome: 'not-mended' }]);
    expect(scene.sim.log.calls('ModifyInstanceAttribute').length).toBeGreaterThanOrEqual(2);
    expect(await stopProtection(scene, old.instanceId)).toBe(true);
  });

  test('where reattach gives the disks back', async () => {
    const { scene, old } = await staged({ ...AS_RUNG, ...PROTECTED }, (it) => void it.silent.add('*'));
    await scene.run(scene.lead(), scene.intent());
    expect(scene.history()).toMatchObject([{ outcome: 'not-mended' }]);
    expect(await stopProtection(scene, old.instanceId)).toBe(true);
  });
});
