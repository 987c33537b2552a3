import type { SeededInstance } from '@understudy/cloud-sim';
import { expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { staged } from './reattach-scene.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';

const ROOT = '/dev/xvda';

/**
 * Guests that do as systemd does with a line of fstab that has no `nofail`: a boot from this root
 * that does not find the disks attached ends in emergency mode, in which no agent runs.
 */
function watchBoots(scene: RecoveryFixture, rootId: string, fstab: readonly string[]): readonly string[] {
  const boots: string[] = [];
  const { region } = scene.sim.core;
  const isAttached = (volumeId: string, instanceId: string): boolean =>
    region.volumes
      .get(volumeId)
      ?.attachments.some((one) => one.instanceId === instanceId && one.state === 'attached') ?? false;
  scene.sim.onEvent((event) => {
    if (event.kind !== 'transition' || event.resourceKind !== 'instance' || event.to !== 'running') return;
    const { resourceId, detail } = event;
    if (detail['crash'] === true || !isAttached(rootId, resourceId)) return;
    const isWhole = fstab.every((id) => isAttached(id, resourceId));
    boots.push(`${resourceId} ${isWhole ? 'up' : 'emergency'}`);
    if (!isWhole) scene.silent.add(resourceId);
  });
  return boots;
}

/** A member whose fstab names all its data disks, and what boots from its root. */
async function member() {
  let boots: readonly string[] = [];
  const stage = await staged({}, (scene: RecoveryFixture, { volumeIds }: SeededInstance) => {
    const data = Object.entries(volumeIds).flatMap(([device, id]) => (device === ROOT ? [] : [id]));
    boots = watchBoots(scene, volumeIds[ROOT] ?? '', data);
  });
  return { ...stage, boots: () => boots };
}

test('a machine whose fstab needs its data disks at boot comes back by reattach', async () => {
  const { scene, old, boots } = await member();
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old);
  expect(boots()).toEqual([`${newInstanceId} up`]);
});

test.each(['timeout-after-success', 'late-landing', 'throttle'] as const)(
  'also where attachments of it suffer a %s',
  async (kind) => {
    const { scene, old, boots } = await member();
    scene.sim.addFault({ id: 'ill', action: 'AttachVolume', kind, times: 2, delayMs: 8_000 });
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.sim.fired('ill')).toBe(2);
    expect(boots()).toEqual([`${checkFinished(scene, old)} up`]);
  },
);

test('the naive order, root first and started, ends in emergency mode', async () => {
  const { scene, old, disks, boots } = await member();
  const stop = { InstanceIds: [old.instanceId], Force: true, SkipOsShutdown: true };
  await scene.clock.runUntilSettled(scene.sim.call('StopInstances', stop));
  await scene.clock.advance(60_000);
  const data = Object.entries(disks).find(([device]) => device !== ROOT)?.[1] ?? '';
  await scene.clock.runUntilSettled(scene.sim.call('DetachVolume', { VolumeId: data }));
  await scene.clock.advance(60_000);
  await scene.clock.runUntilSettled(scene.sim.call('StartInstances', { InstanceIds: [old.instanceId] }));
  await scene.clock.advance(60_000);
  expect(boots()).toEqual([`${old.instanceId} emergency`]);
});
