import type { SeededInstance } from '@understudy/cloud-sim';
import { TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { checkFollowed as checkIdentity, identityWorld } from './identity-world.ts';
import { finished, FOLLOWS, muteFirst, type PrimaryStage, REATTACHED, runOnce, staged } from './primary-scene.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';

const WAYS = [
  { name: 'from snapshots', options: { dataVolumes: 2 } },
  { name: 'with its disks', options: { ...REATTACHED, dataVolumes: 2 } },
];

describe.each(WAYS)('a replacement $name', ({ options }) => {
  test('has the primary private address, and its predecessor has ended before it ran', async () => {
    const stage = await staged(options);
    const { scene, old } = stage;
    const leader = scene.lead();
    const newInstanceId = await finished(stage, leader);
    checkFinished(scene, old);
    const [history] = scene.history();
    const steps = history?.steps.map((one) => one.step) ?? [];
    expect(steps).toEqual(expect.arrayContaining(['vacate', `primary-${old.privateIp}`]));
    expect(history?.undo).toMatchObject({ ended: true });
    await checkCollected(scene, old, leader, newInstanceId);
  });

  test('is tried again with the same address when the first one fails', async () => {
    const stage = await staged(
      { ...options, policy: { ...options.policy, recover: { ...options.policy?.recover, verifyTimeoutMs: 60_000 } } },
      muteFirst,
    );
    await finished(stage);
    checkFinished(stage.scene, stage.old, { launches: 2 });
  });
});

test('what else is on the primary interface, and further interfaces, follow as ever', async () => {
  const world = await identityWorld(FOLLOWS);
  const { scene, old } = world;
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old);
  checkIdentity(world, newInstanceId);
  expect(ipOf(scene, newInstanceId)).toBe(old.privateIp);
});

test('an interface that was to outlive its instance goes with the predecessor', async () => {
  const stage = await staged({}, (scene, { networkInterfaceId }) => {
    const { attachment } = scene.sim.core.region.networkInterfaces.get(networkInterfaceId) ?? {};
    const Attachment = { AttachmentId: attachment?.attachmentId, DeleteOnTermination: false };
    scene.sim.seed('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: networkInterfaceId, Attachment });
  });
  await finished(stage);
  expect(stage.scene.sim.core.region.networkInterfaces.get(stage.old.networkInterfaceId)).toBeUndefined();
});

test('a predecessor that has ended by itself is not asked to', async () => {
  const stage = await staged();
  const { scene, old } = stage;
  let done = false;
  scene.sim.onEvent(() => {
    const captured =
      scene.sim.core.region.snapshots.all().filter((one) => one.state === 'completed' && one.tags[TAG.op] !== undefined)
        .length >= 2;
    if (done || !captured || scene.stateOf(old.instanceId) !== 'stopped') return;
    done = true;
    for (const DeviceName of Object.keys(old.volumeIds)) keep(scene, old, DeviceName);
    scene.sim.seed('TerminateInstances', { InstanceIds: [old.instanceId] });
  });
  await finished(stage);
  expect(done).toBe(true);
  expect(scene.sim.log.calls('TerminateInstances')).toHaveLength(0);
});

const keep = (scene: RecoveryFixture, { instanceId }: SeededInstance, DeviceName: string): void => {
  const BlockDeviceMappings = [{ DeviceName, Ebs: { DeleteOnTermination: false } }];
  scene.sim.seed('ModifyInstanceAttribute', { InstanceId: instanceId, BlockDeviceMappings });
};

const ipOf = (scene: RecoveryFixture, instanceId: string): string | undefined => {
  const { instances, networkInterfaces } = scene.sim.core.region;
  const ids = instances.get(instanceId)?.networkInterfaceIds ?? [];
  return ids.map((id) => networkInterfaces.get(id)).find((one) => one?.attachment?.deviceIndex === 0)?.privateIp;
};

/** When the predecessor has ended, somebody else is given its address. */
function takeTheAddress(scene: RecoveryFixture, old: SeededInstance): { id: string | null } {
  const taken: { id: string | null } = { id: null };
  scene.sim.onEvent((event) => {
    if (event.kind !== 'transition' || event.resourceId !== old.instanceId || event.to !== 'terminated') return;
    const wanted = { SubnetId: old.subnetId, PrivateIpAddress: old.privateIp };
    const made = scene.sim.seed('CreateNetworkInterface', wanted) as {
      NetworkInterface: { NetworkInterfaceId: string };
    };
    taken.id = made.NetworkInterface.NetworkInterfaceId;
    scene.seededIds.add(taken.id);
  });
  return taken;
}

describe('an address that somebody else was given meanwhile', () => {
  async function held(): Promise<{ stage: PrimaryStage; taken: { id: string | null } }> {
    let taken: { id: string | null } = { id: null };
    const stage = await staged({}, (scene, old) => {
      taken = takeTheAddress(scene, old);
    });
    expect(await runOnce(stage)).toBe('held');
    expect(stage.scene.hold()).toMatchObject({ reason: 'AddressHeldElsewhere' });
    expect(stage.scene.hold()?.text).toContain(`accept-loss db/primary primary:${stage.old.privateIp}`);
    expect(stage.scene.hold()?.text).toContain(taken.id);
    expect(stage.scene.launchedFor(stage.old.instanceId)).toEqual([]);
    return { stage, taken };
  }

  test('is waited for, and the recovery goes on once it is free', async () => {
    const { stage, taken } = await held();
    stage.scene.sim.seed('DeleteNetworkInterface', { NetworkInterfaceId: taken.id });
    await finished(stage);
    checkFinished(stage.scene, stage.old);
  });

  test('can be given up: the replacement has another one, and history says so', async () => {
    const { stage } = await held();
    const { scene, old } = stage;
    scene.ask('accept-loss', { loss: `primary:${old.privateIp}` });
    expect(await runOnce(stage), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    expect(ipOf(scene, newInstanceId)).not.toBe(old.privateIp);
    expect(stage.faults).toEqual([]);
    expect(scene.history()[0]?.losses?.[0]).toMatchObject({ code: 'AcceptedLoss' });
  });

  test('is abandoned with what there is: nothing is given back, and nothing is collected', async () => {
    const { stage } = await held();
    const { scene, old, volumeIds } = stage;
    scene.ask('abandon');
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    const [history] = scene.history();
    expect(history).toMatchObject({ outcome: 'abandoned' });
    expect(history?.leftAs?.join('; ')).toContain('there is nothing to give back');
    expect(history?.leftovers.map((one) => one.afterWallMs)).toEqual(history?.leftovers.map(() => null));
    await scene.clock.advance(30 * 86_400_000);
    const collector = scene.collector(leader);
    for (let pass = 0; pass < 3; pass += 1) await scene.clock.runUntilSettled(collector.collect(leader.term));
    for (const id of volumeIds) expect(scene.sim.core.region.volumes.get(id)?.state).toBe('available');
    expect(scene.sim.core.region.snapshots.all().length).toBeGreaterThanOrEqual(volumeIds.length);
    checkSafety(scene, old);
  });
});

describe('an address that is given up before anything has ended', () => {
  test('leaves the predecessor as ever: it can be undone', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    scene.ask('accept-loss', { loss: `primary:${old.privateIp}` });
    expect(await runOnce(stage), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old);
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    expect(scene.history()[0]?.undo?.ended).toBeUndefined();
    expect(scene.sim.log.calls('TerminateInstances')).toHaveLength(0);
  });

  test('is refused for an address that is not the plan’s', async () => {
    const stage = await staged();
    stage.scene.ask('accept-loss', { loss: 'primary:10.9.9.9' });
    await finished(stage);
    expect(stage.scene.history()[0]?.acts?.[0]?.text).toContain('no address that follows');
  });
});

describe('termination protection', () => {
  const protect = (scene: RecoveryFixture, old: SeededInstance): void => {
    const DisableApiTermination = { Value: true };
    scene.sim.seed('ModifyInstanceAttribute', { InstanceId: old.instanceId, DisableApiTermination });
  };

  test('that the plan knows moves to the replacement', async () => {
    const stage = await staged({}, protect);
    const newInstanceId = await finished(stage);
    expect(stage.scene.sim.core.region.instances.get(newInstanceId)?.terminationProtection.value).toBe(true);
  });

  test('that somebody has put on since is held for; abandoned, the predecessor is kept', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    protect(scene, old);
    expect(await runOnce(stage)).toBe('held');
    expect(scene.hold(), scene.hold()?.text).toMatchObject({ reason: 'CloudRejected' });
    scene.ask('abandon');
    expect(await runOnce(stage), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    expect(scene.history()[0]?.leftAs?.join('; ')).toContain('now outlive');
    // A mark of a retired one would have a later stop of it taken for ours.
    expect(scene.sim.core.region.instances.get(old.instanceId)?.tags[TAG.retiredBy]).toBeUndefined();
  });

  test('that the plan knows is put back where the predecessor is kept after all', async () => {
    for (const ask of ['abandon', 'accept-loss'] as const) {
      const stage = await staged({}, protect);
      const { scene, old } = stage;
      const fault = { action: 'TerminateInstances', kind: 'error', code: 'UnsupportedOperation' } as const;
      scene.sim.addFault({ id: 'no', ...fault, times: 1 });
      expect(await runOnce(stage)).toBe('held');
      expect(scene.sim.fired('no')).toBe(1);
      scene.ask(ask, ask === 'abandon' ? {} : { loss: `primary:${old.privateIp}` });
      const run = scene.run(scene.lead(), scene.intent());
      expect(await run, JSON.stringify(scene.hold())).toBe('finished');
      const kept = scene.sim.core.region.instances.get(old.instanceId);
      expect(kept?.state).toBe('stopped');
      if (ask === 'abandon') expect(kept?.terminationProtection.value).toBe(true);
      if (ask === 'abandon') expect(kept?.tags[TAG.retiredBy]).toBeUndefined();
    }
  });

  test('goes on once it is taken off', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    protect(scene, old);
    expect(await runOnce(stage)).toBe('held');
    scene.sim.seed('ModifyInstanceAttribute', { InstanceId: old.instanceId, DisableApiTermination: { Value: false } });
    await finished(stage);
  });
});

describe.each(WAYS)('a role that may not terminate, $name', ({ options }) => {
  test('is told as that, and the recovery can be abandoned', async () => {
    const stage = await staged({ ...options, dataVolumes: 1 });
    const { scene, old, volumeIds } = stage;
    scene.sim.core.region.deniedActions.add('TerminateInstances');
    expect(await runOnce(stage)).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CloudDenied' });
    scene.ask('abandon');
    expect(await runOnce(stage), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    expect(scene.history()[0]?.lateCalls).toBeUndefined();
    const on = (id: string) => scene.sim.core.region.volumes.get(id)?.attachments.map((one) => one.instanceId);
    expect(volumeIds.map(on)).toEqual(volumeIds.map(() => [old.instanceId]));
  });
});

describe('nothing is ended', () => {
  /** Once everything is captured, and before it is ended. */
  const whenCaptured =
    (act: (scene: RecoveryFixture, old: SeededInstance) => void) => (scene: RecoveryFixture, old: SeededInstance) => {
      let done = false;
      scene.sim.onEvent((event) => {
        if (done || event.kind !== 'call' || event.action !== 'ModifyInstanceAttribute') return;
        done = true;
        act(scene, old);
      });
    };

  test('that somebody has started again: what it writes is not secured', async () => {
    const stage = await staged(
      {},
      whenCaptured((scene, old) => void scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] })),
    );
    const { scene, old } = stage;
    expect(await runOnce(stage)).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'FenceNotProven' });
    expect(scene.stateOf(old.instanceId)).toBe('running');
    scene.sim.seed('StopInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.advance(120_000);
    await finished(stage);
  });

  test('whose snapshots are gone', async () => {
    const stage = await staged(
      {},
      whenCaptured((scene) => {
        for (const { id } of scene.sim.core.region.snapshots.all())
          scene.sim.core.region.snapshots.remove(id, scene.clock.monotonicMs(), true);
      }),
    );
    const { scene, old } = stage;
    expect(await runOnce(stage)).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CaptureFailed' });
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
  });
});

test('a disk that somebody has put on another machine is not secured: the predecessor is kept', async () => {
  const stage = await staged({ ...REATTACHED, dataVolumes: 1 });
  const { scene, old } = stage;
  const other = scene.seedMember('other/one', { elasticIp: false, dataVolumes: 0 });
  const VolumeId = old.volumeIds['/dev/sdf'];
  let taken = false;
  scene.sim.onEvent((event) => {
    if (taken || event.kind !== 'call' || event.action !== 'DescribeVolumes') return;
    if (scene.sim.core.region.volumes.get(VolumeId ?? '')?.state !== 'available') return;
    taken = true;
    scene.sim.seed('AttachVolume', { VolumeId, InstanceId: other.instanceId, Device: '/dev/sdz' });
  });
  expect(await runOnce(stage)).toBe('held');
  expect(taken).toBe(true);
  expect(scene.stateOf(old.instanceId)).toBe('stopped');
});

test('no place in another subnet is taken, and the plan says so', async () => {
  const scene = await otherSubnets(['us-east-1b', 'us-east-1a']);
  const { plan } = scene.intent().record;
  const { candidates = [], losses } = plan as typeof plan & { candidates?: { subnetId: string }[] };
  expect(candidates.map((one) => one.subnetId)).toEqual([scene.sim.defaultResources.subnets['us-east-1a']]);
  expect(losses.map((one) => one.code)).toEqual(
    expect.arrayContaining(['PlacementLosesPrimaryAddress', 'PredecessorEnds']),
  );
  expect(losses.map((one) => one.code)).not.toContain('PrivateIpChanges');
  await expect(otherSubnets(['us-east-1b'])).rejects.toThrow('PlacementLosesPrimaryAddress');
});

test('where its subnet has no room any more, to give the address up opens the other places', async () => {
  const scene = await otherSubnets(['us-east-1a', 'us-east-1b']);
  const old = scene.intent().record.oldInstanceId;
  scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
  expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
  expect(scene.hold()?.text).toContain('accept-loss db/primary primary:');
  expect(scene.hold()?.text).not.toContain('understudy replan');
  const loss = /primary:[0-9.]+/.exec(scene.hold()?.text ?? '')?.[0] ?? '';
  scene.ask('accept-loss', { loss });
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const [newInstanceId = ''] = scene.launchedFor(old);
  expect(scene.sim.core.region.instances.get(newInstanceId)?.az).toBe('us-east-1b');
});

async function otherSubnets(zones: readonly string[]): Promise<RecoveryFixture> {
  const { scene } = await staged({}, (made) => {
    const placements = zones.map((az) => ({ subnetId: made.sim.defaultResources.subnets[az] ?? '' }));
    made.policy.recover.placements.push(...placements);
  });
  return scene;
}
