import { TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import {
  beginUndo,
  checkNeverTwo,
  checkUndone,
  closedBy,
  ranUndo,
  replacedMember,
  rewriteHistory,
} from './undo-scene.ts';

const DAY_MS = 86_400_000;
const LATE_MS = 1_200_000;

describe('a call of the undo that lands after it is over', () => {
  test.each(['StopInstances', 'StartInstances', 'AssociateAddress', 'DisassociateAddress', 'DeleteTags'])(
    '%s changes nothing',
    async (action) => {
      const staged = await replacedMember();
      const { scene } = staged;
      await beginUndo(staged);
      scene.sim.addFault({ id: 'late', action, kind: 'late-landing', delayMs: LATE_MS });
      await closedBy(scene, scene.lead());
      expect(scene.sim.fired('late')).toBe(1);
      await scene.clock.advance(2 * LATE_MS);
      if (action === 'DeleteTags') checkNeverTwo(staged);
      else checkUndone(staged);
    },
  );

  test('a start that lands after it was called off runs a machine that nobody lets serve, and is told', async () => {
    const staged = await replacedMember();
    const { scene, old, presentId } = staged;
    await beginUndo(staged);
    // Asked three times; the first is still under way when a host is refused to the next.
    scene.sim.addFault({ id: 'late', action: 'StartInstances', kind: 'late-landing', delayMs: LATE_MS, times: 1 });
    scene.sim.addFault({
      ...{ id: 'full', action: 'StartInstances', kind: 'error', times: 1, afterCalls: 1 },
      ...{ code: 'InsufficientInstanceCapacity', httpStatus: 500 },
    });
    await closedBy(scene, scene.lead());
    expect(scene.activation()).toMatchObject({ instanceId: presentId });
    await scene.clock.advance(2 * LATE_MS);
    expect(scene.stateOf(old.instanceId)).toBe('running');
    expect(scene.activation()).toMatchObject({ instanceId: presentId });
  });
});

describe('the Stop by which the recovery had retired it', () => {
  test('that may still land is an outage that is known to be ours, and nothing else', async () => {
    const staged = await replacedMember();
    const { scene, old } = staged;
    rewriteHistory(scene, ({ undo }) => ({ ...(undo && { undo: { ...undo, stopMayLand: true } }) }));
    await beginUndo(staged);
    await closedBy(scene, scene.lead());
    checkUndone(staged);
    expect(scene.history().find((one) => one.outcome === 'undone')?.lateCalls).toEqual(['stop']);
    scene.sim.seed('StopInstances', { InstanceIds: [old.instanceId], Force: true });
    await scene.clock.advance(60_000);
    checkNeverTwo(staged);
    expect(scene.activation()).toMatchObject({ instanceId: old.instanceId });
  });
});

describe('the collector', () => {
  const collectFor = async ({ scene }: Pick<Awaited<ReturnType<typeof ranUndo>>, 'scene'>, days: number) => {
    const leader = scene.lead();
    for (let pass = 0; pass < 3; pass += 1) {
      await scene.clock.advance((days * DAY_MS) / 3);
      const report = await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
      expect(report.violations).toEqual([]);
    }
  };

  test('never ends the instance that serves again, nor deletes a disk of it, and ends the other one in its time', async () => {
    const staged = await ranUndo({ policy: { recover: { retainVolumesForMs: DAY_MS } } });
    const { scene, old, presentId } = staged;
    await collectFor(staged, 12);
    expect(scene.stateOf(old.instanceId)).toBe('running');
    for (const id of Object.values(old.volumeIds))
      expect(scene.sim.core.region.volumes.get(id)?.attachments, id).toHaveLength(1);
    expect(['terminated', null]).toContain(scene.stateOf(presentId));
  });

  test('that races with the undo ends nothing of it, although its time comes meanwhile', async () => {
    const staged = await replacedMember({ policy: { recover: { retainVolumesForMs: DAY_MS } } });
    const { scene, old } = staged;
    await beginUndo(staged);
    const leader = scene.lead();
    const run = scene.leadRun(leader);
    const collector = scene.collector(leader);
    const collected = (async () => {
      for (let pass = 0; pass < 20; pass += 1) {
        await collector.collect(leader.term);
        await scene.clock.sleep(3_600_000);
      }
    })();
    await scene.clock.runUntilSettled(Promise.all([run, collected]), 10 * DAY_MS);
    await collectFor(staged, 3);
    expect(scene.stateOf(old.instanceId)).toBe('running');
    expect(scene.activation()).toMatchObject({ instanceId: old.instanceId });
  });

  test('leaves it alone also where its mark stays on, and puts nothing back on the books', async () => {
    const staged = await replacedMember();
    const { scene, old } = staged;
    await beginUndo(staged);
    scene.sim.addFault({
      id: 'untag',
      action: 'DeleteTags',
      kind: 'error',
      code: 'UnauthorizedOperation',
      httpStatus: 403,
    });
    await closedBy(scene, scene.lead());
    expect(scene.sim.fired('untag')).toBeGreaterThan(0);
    expect(scene.sim.core.region.instances.get(old.instanceId)?.tags[TAG.retiredBy]).toBeDefined();
    await collectFor(staged, 12);
    expect(scene.stateOf(old.instanceId)).toBe('running');
    const first = scene.history().find((one) => one.outcome === 'replaced');
    expect(first?.leftovers.map((one) => one.id)).not.toContain(old.instanceId);
  });
});
