import { stepId } from '@understudy/recovery/testing';
import { describe, expect, test } from 'vitest';
import {
  beginUndo,
  checkNotUndone,
  checkUndone,
  closedBy,
  ranUndo,
  replacedMember,
  undoneRecord,
} from './undo-scene.ts';

const stepsOf = (steps: readonly { readonly step: string }[] | undefined) => steps?.map((one) => one.step);

describe('an undo', () => {
  test('has the retired instance serve again, with its disks and its address', async () => {
    const staged = await ranUndo();
    checkUndone(staged);
    const { scene, old } = staged;
    const moved = stepId('address', old.allocationId ?? '');
    const steps = ['fence', 'bringback', 'verify-1', 'activate', moved, 'done'];
    expect(stepsOf(undoneRecord(scene)?.steps)).toEqual(steps);
  });

  test('gives its protections back to it, and takes them off the other one', async () => {
    const staged = await ranUndo({ request: { DisableApiStop: true, DisableApiTermination: true } });
    checkUndone(staged);
    const { scene, old, presentId } = staged;
    const of = (id: string) => scene.clock.runUntilSettled(scene.newCloud().describeProtection(id));
    expect(await of(old.instanceId)).toEqual({ stop: true, termination: true });
    expect(await of(presentId)).toEqual({ stop: false, termination: false });
  });

  test('can be undone in its turn', async () => {
    const staged = await ranUndo();
    const { scene, old, presentId } = staged;
    await scene.clock.advance(960_000);
    await beginUndo({ scene, old, presentId: old.instanceId });
    await closedBy(scene, scene.lead());
    expect(scene.activation()).toMatchObject({ instanceId: presentId, incarnation: 4, ordinal: 1 });
    expect([scene.stateOf(old.instanceId), scene.stateOf(presentId)]).toEqual(['stopped', 'running']);
  });

  test('is called off, and the instance in charge brought back, where EC2 has no host for the other one', async () => {
    const staged = await replacedMember();
    const { scene } = staged;
    await beginUndo(staged);
    scene.sim.addFault({
      ...{ id: 'full', action: 'StartInstances', kind: 'error', times: 1 },
      ...{ code: 'InsufficientInstanceCapacity', httpStatus: 500 },
    });
    await closedBy(scene, scene.lead());
    expect(scene.sim.fired('full')).toBe(1);
    checkNotUndone(staged, 'mended');
    expect(undoneRecord(scene)?.reason).toMatch(/the undo did not come about: EC2 refuses to start it/);
    expect(scene.stateOf(staged.presentId)).toBe('running');
  });

  test('is called off where the retired instance does not speak, which is stopped again', async () => {
    const staged = await replacedMember();
    await beginUndo(staged);
    staged.scene.silent.add(staged.old.instanceId);
    await closedBy(staged.scene, staged.scene.lead());
    checkNotUndone(staged, 'mended');
    expect(staged.scene.stateOf(staged.old.instanceId)).toBe('stopped');
  });

  test('is called off where a disk is taken off the retired instance meanwhile', async () => {
    const staged = await replacedMember();
    const { scene, old } = staged;
    await beginUndo(staged);
    scene.sim.seed('DetachVolume', { VolumeId: old.volumeIds['/dev/sdf'], InstanceId: old.instanceId });
    await closedBy(scene, scene.lead());
    checkNotUndone(staged, 'mended');
    expect(undoneRecord(scene)?.reason).toMatch(/is not attached to/);
  });

  test('ends as not mended where the instance in charge does not come back either', async () => {
    const staged = await replacedMember();
    await beginUndo(staged);
    staged.scene.silent.add('*');
    await closedBy(staged.scene, staged.scene.lead());
    checkNotUndone(staged, 'not-mended');
  });

  test.each(['fence', 'bringback', 'verify-1'])(
    'is abandoned during %s: the retired instance is stopped',
    async (at) => {
      const staged = await replacedMember();
      const { scene } = staged;
      await beginUndo(staged);
      const leader = scene.lead();
      const run = leader.engine.run(scene.intent(), leader.term);
      const { opId } = scene.intent().record;
      while (leader.engine.activity(opId)?.steps.every((one) => one.step !== at) !== false)
        await scene.clock.advance(250);
      await scene.clock.advance(250);
      scene.ask('abandon');
      leader.engine.interrupt(opId);
      await scene.clock.runUntilSettled(run);
      await closedBy(scene, leader);
      checkNotUndone(staged, 'abandoned');
    },
  );
});
