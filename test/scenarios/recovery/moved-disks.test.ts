import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { COPIED, copiesOf, DEVICES, diskAt, options, SHARED, sharedVolumeId } from './moved-disks-stories.ts';
import { stage } from './stories.ts';

describe('disks that are copied', () => {
  test.each(['timeout-after-success', 'late-landing'] as const)(
    'are copied once where the copy is struck by %s',
    async (kind) => {
      const { scene, old } = await stage(COPIED);
      scene.sim.addFault({ id: 'copy', action: 'CopyVolumes', kind, delayMs: 8_000, times: 2 });
      const run = scene.leadRun(scene.lead());
      await scene.clock.runUntilSettled(run);
      expect(scene.sim.fired('copy')).toBe(2);
      COPIED.check(scene, old, checkFinished(scene, old));
    },
  );

  test('**S** nothing is copied before the fence is observed', async () => {
    const { scene, old } = await stage(COPIED);
    scene.sim.addFault({ id: 'stuck', action: 'StopInstances', kind: 'stuck-stopping', delayMs: 900_000, times: 1 });
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('FenceNotProven');
    expect(DEVICES.flatMap((device) => copiesOf(scene, old, device))).toEqual([]);
  });

  test('wait where other copies of the Region are under way', async () => {
    const { scene, old } = await stage(COPIED);
    scene.sim.setQuotas({ volumeCopies: 0 });
    const run = scene.leadRun(scene.lead());
    await scene.clock.advance(120_000);
    expect(DEVICES.flatMap((device) => copiesOf(scene, old, device))).toEqual([]);
    scene.sim.setQuotas({ volumeCopies: 5 });
    await scene.clock.runUntilSettled(run);
    COPIED.check(scene, old, checkFinished(scene, old));
  });

  test('that no replacement has served from are on the books, and are removed', async () => {
    const { scene, old } = await stage(COPIED);
    const leader = scene.lead();
    const run = leader.engine.run(scene.intent(), leader.term);
    const made = () => DEVICES.flatMap((device) => copiesOf(scene, old, device)).map((one) => one.id);
    while (made().length < 2 || made().some((id) => scene.sim.core.region.volumes.get(id)?.state !== 'available'))
      await scene.clock.advance(250);
    await scene.clock.advance(3_000);
    scene.ask('abandon');
    leader.engine.interrupt(scene.intent().record.opId);
    await scene.clock.runUntilSettled(run);
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    const copies = made();
    const leftovers = scene
      .history()[0]
      ?.leftovers.filter((one) => one.kind === 'volume-copy')
      .map((one) => one.id);
    expect(leftovers?.toSorted()).toEqual(copies.toSorted());
    await scene.clock.advance(8 * 86_400_000);
    for (let pass = 0; pass < 3; pass += 1) {
      await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
      await scene.clock.advance(120_000);
    }
    expect(made()).toEqual([]);
    for (const device of DEVICES) expect(diskAt(scene, old.instanceId, device)?.id).toBe(old.volumeIds[device]);
  });

  test('are of the policy’s choice where it forbids to move them', async () => {
    const { scene } = await stage({ ...COPIED, options: options({ forbid: { all: ['reattach'] } }) });
    expect(scene.intent().record.plan.volumes.map((one) => one.path)).toEqual(['copy', 'copy']);
  });
});

describe('**S** a volume that several instances may write to', () => {
  test('is never copied, whatever is pinned: there is no such plan', async () => {
    await expect(stage({ ...SHARED, options: options({ pin: { all: 'copy' } }) })).rejects.toThrow(
      /no plan: .*VolumeMultiAttach/,
    );
  });

  test('the plan tells of its reservations', async () => {
    const { scene } = await stage(SHARED);
    const { plan } = scene.intent().record;
    expect(plan.volumes.find((one) => one.volumeId === sharedVolumeId())?.path).toBe('multi-attach');
    expect(plan.losses.find((one) => one.code === 'ReservationsNotCarried')?.text).toContain('registers anew');
  });
});
