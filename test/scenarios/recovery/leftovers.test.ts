import type { Fault, SeededInstance } from '@understudy/cloud-sim';
import { opIdOf, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

const HOUR_MS = 3_600_000;
const NOT_FOUND = { kind: 'error', code: 'InvalidInstanceID.NotFound', httpStatus: 400 } as const;

interface Prepared {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly leader: Leader;
}

/** A recovery that is about to begin; the data volume has a tag of its own. */
async function staged(options: RecoveryFixtureOptions = {}): Promise<Prepared> {
  const scene = new RecoveryFixture(options);
  const old = scene.seedMember(MEMBER, options);
  const dataVolumeId = old.volumeIds['/dev/sdf'] ?? '';
  scene.sim.seed('CreateTags', { Resources: [dataVolumeId], Tags: [{ Key: 'team', Value: 'data' }] });
  await scene.begin(old);
  return { scene, old, leader: scene.lead() };
}

async function finish({ scene, leader }: Prepared): Promise<string> {
  expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  return scene.activation()?.instanceId ?? '';
}

/** Once the replacement is activated, `fault` strikes. */
function afterActivation({ scene }: Prepared, strike: (newInstanceId: string) => void): void {
  const unsubscribe = scene.sim.onEvent((event) => {
    const named = scene.activation()?.instanceId ?? '';
    if (event.kind !== 'call' || event.action !== 'AssociateAddress') return;
    unsubscribe();
    strike(named);
  });
}

/** The next so many answers do not know the replacement. */
const unseenReplacement = (stage: Prepared, times: number): void =>
  afterActivation(stage, (id) => {
    const fault: Fault = { id: 'unseen', action: 'DescribeInstances', match: { resourceId: id }, ...NOT_FOUND, times };
    stage.scene.sim.addFault(fault);
  });

const volumeAt = (scene: RecoveryFixture, instanceId: string, device: string) =>
  scene.sim.core.region.volumes
    .all()
    .find((one) => one.attachments.some((at) => at.instanceId === instanceId && at.device === device));

/** What a launch cannot carry is in place on the replacement. */
function expectDressed(scene: RecoveryFixture, newInstanceId: string): void {
  expect(volumeAt(scene, newInstanceId, '/dev/sdf')?.tags).toMatchObject({ team: 'data' });
  const { networkInterfaces, instances } = scene.sim.core.region;
  const [permitId = ''] = instances.get(newInstanceId)?.networkInterfaceIds ?? [];
  expect(networkInterfaces.get(permitId)?.attachment?.deleteOnTermination).toBe(true);
}

async function collectFor({ scene, leader }: Prepared, durationMs: number, everyMs = 60_000): Promise<void> {
  const collector = scene.collector(leader);
  for (let passedMs = 0; passedMs < durationMs; passedMs += everyMs) {
    await scene.clock.runUntilSettled(collector.collect(leader.term));
    await scene.clock.advance(everyMs);
  }
}

describe('the last chores', () => {
  test('three answers that do not know the replacement cost nothing', async () => {
    const stage = await staged();
    const { scene } = stage;
    unseenReplacement(stage, 3);
    const newInstanceId = await finish(stage);
    expect(scene.sim.fired('unseen')).toBe(3);
    expectDressed(scene, newInstanceId);
    expect(scene.history()[0]?.owed).toEqual([]);
    checkFinished(scene, stage.old);
  });

  test('what EC2 does not show for an hour is owed, and done by the collector once it shows it', async () => {
    const stage = await staged();
    const { scene } = stage;
    unseenReplacement(stage, 1_000);
    const newInstanceId = await finish(stage);
    expect(scene.sim.fired('unseen')).toBeGreaterThan(3);
    const owed = scene.history()[0]?.owed ?? [];
    expect(owed.map(({ chore }) => chore.kind)).toEqual(['volume-tags', 'bind-interface']);
    expect(owed[0]?.obstacle).toMatchObject({ code: 'NotShown', text: `EC2 does not show ${newInstanceId}` });
    expect(scene.log.linesOf('recovery.chores_owed')).toHaveLength(1);
    await collectFor(stage, 300_000);
    expect(scene.history()[0]?.owed).toHaveLength(2);
    scene.sim.removeFault('unseen');
    await collectFor(stage, 300_000);
    expect(scene.history()[0]?.owed).toEqual([]);
    expectDressed(scene, newInstanceId);
  });

  const refusals = [
    ['denied', 'CreateTags', 'UnauthorizedOperation', 403],
    ['refused', 'CreateTags', 'InvalidParameterValue', 400],
    ['denied', 'ModifyNetworkInterfaceAttribute', 'UnauthorizedOperation', 403],
    ['refused', 'ModifyNetworkInterfaceAttribute', 'InvalidAttachment', 400],
    ['failing', 'CreateTags', 'InternalError', 500],
  ] as const;
  test.each(refusals)(
    '%s %s: the recovery closes, the collector goes on trying, and says so',
    async (_what, action, code, httpStatus) => {
      const stage = await staged();
      const { scene } = stage;
      afterActivation(stage, () =>
        scene.sim.addFault({ id: 'no', action, kind: 'error', code, httpStatus, times: 1_000 }),
      );
      const newInstanceId = await finish(stage);
      expect(scene.hold()).toBeNull();
      expect(scene.history()[0]?.owed.map((one) => one.obstacle.code)).toContain(code);
      const before = scene.sim.fired('no');
      await collectFor(stage, HOUR_MS);
      const refused = scene.sim.fired('no') - before;
      expect(scene.history()[0]?.owed.length).toBeGreaterThan(0);
      // At a slowing pace: an hour of refusals is a handful of calls for each of the chores, not
      // sixty.
      expect(refused).toBeGreaterThan(2);
      expect(refused).toBeLessThan(30);
      scene.sim.removeFault('no');
      await collectFor(stage, HOUR_MS + 300_000);
      expect(scene.history()[0]?.owed).toEqual([]);
      expectDressed(scene, newInstanceId);
    },
  );

  test('a chore that is tried again overwrites nothing that a person has set meanwhile', async () => {
    const stage = await staged();
    const { scene } = stage;
    const no = { action: 'CreateTags', kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 } as const;
    afterActivation(stage, () => scene.sim.addFault({ id: 'no', ...no, times: 1_000 }));
    const newInstanceId = await finish(stage);
    scene.sim.removeFault('no');
    const volumeId = volumeAt(scene, newInstanceId, '/dev/sdf')?.id ?? '';
    scene.sim.seed('CreateTags', { Resources: [volumeId], Tags: [{ Key: 'team', Value: 'somebody-else' }] });
    await collectFor(stage, 300_000);
    expect(scene.history()[0]?.owed).toEqual([]);
    expect(volumeAt(scene, newInstanceId, '/dev/sdf')?.tags).toMatchObject({ team: 'somebody-else' });
  });

  test('owed on a replacement that was itself replaced is moot', async () => {
    const stage = await staged();
    const { scene } = stage;
    const no = { action: 'CreateTags', kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 } as const;
    afterActivation(stage, () => scene.sim.addFault({ id: 'no', ...no, times: 1_000 }));
    await finish(stage);
    scene.setActivation({ instanceId: 'i-0000000000000beef', incarnation: 3, opId: 'op-later' });
    await collectFor(stage, 120_000);
    expect(scene.history()[0]?.owed.map(({ chore }) => chore.kind)).not.toContain('volume-tags');
    expect(scene.log.linesOf('chore.moot').length).toBeGreaterThan(0);
  });
});

describe('tags of volumes', () => {
  /** 50 tags on root and data volume, `shared` of them the same. */
  async function tagged(shared: number): Promise<Prepared> {
    const scene = new RecoveryFixture();
    const old = scene.seedMember();
    for (const [device, id] of Object.entries(old.volumeIds)) {
      const there = Object.keys(scene.sim.core.region.volumes.get(id)?.tags ?? {}).length;
      const own = Array.from({ length: 50 - there }, (_, i) => ({
        Key: `k${String(i).padStart(2, '0')}`,
        Value: i < shared ? 'same' : device,
      }));
      scene.sim.seed('CreateTags', { Resources: [id], Tags: own });
    }
    await scene.begin(old);
    return { scene, old, leader: scene.lead() };
  }

  test.each([0, 10, 45])('50 tags on each, %i of them shared: all but the last by name are carried', async (shared) => {
    const stage = await tagged(shared);
    const { scene, old } = stage;
    const newInstanceId = await finish(stage);
    for (const device of ['/dev/xvda', '/dev/sdf']) {
      const before = scene.sim.core.region.volumes.get(old.volumeIds[device] ?? '')?.tags ?? {};
      const after = volumeAt(scene, newInstanceId, device)?.tags ?? {};
      expect(Object.keys(after)).toHaveLength(50);
      const lost = Object.entries(before).filter(([key, value]) => key.startsWith('k') && after[key] !== value);
      const mostByName = Object.keys(before)
        .filter((key) => key.startsWith('k'))
        .sort()
        .slice(-lost.length);
      expect(lost.length, device).toBeLessThanOrEqual(2);
      expect(lost.map(([key]) => key).sort(), device).toEqual(lost.length === 0 ? [] : mostByName);
    }
    // No room for our mark on the old volume either: it stays on the books, where it is listed.
    await collectFor(stage, 180_000);
    expect(scene.history()[0]?.owed).toEqual([]);
    expect(scene.history()[0]?.leftovers.map((one) => one.id)).toContain(old.volumeIds['/dev/sdf']);
  });
});

describe('a volume that was attached after the plan was made', () => {
  async function withLateVolume(detachAgain: boolean): Promise<Prepared & { readonly lateId: string }> {
    const stage = await staged();
    const { scene, old } = stage;
    const made = scene.sim.seed('CreateVolume', {
      ...{ AvailabilityZone: old.az, Size: 7, VolumeType: 'gp3' },
      TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'what', Value: 'late' }] }],
    }) as { VolumeId: string };
    const lateId = made.VolumeId;
    await scene.clock.advance(60_000);
    scene.sim.seed('AttachVolume', { VolumeId: lateId, InstanceId: old.instanceId, Device: '/dev/sdz' });
    await scene.clock.advance(60_000);
    if (detachAgain) {
      const unsubscribe = scene.sim.onEvent((event) => {
        if (event.kind !== 'call' || event.action !== 'CreateSnapshots') return;
        unsubscribe();
        scene.sim.seed('DetachVolume', { VolumeId: lateId });
      });
    }
    return { ...stage, lateId };
  }

  test('is on the replacement, with its tags, and outlives it as before', async () => {
    const stage = await withLateVolume(false);
    const { scene, lateId } = stage;
    const newInstanceId = await finish(stage);
    const carried = volumeAt(scene, newInstanceId, '/dev/sdz');
    expect(carried).toMatchObject({ sizeGiB: 7, tags: { what: 'late' } });
    expect(carried?.attachments[0]?.deleteOnTermination).toBe(false);
    expect(scene.history()[0]?.leftovers.map((one) => one.id)).toContain(lateId);
    expect(scene.log.linesOf('recovery.volumes_added')).toHaveLength(1);
  });

  test('and taken off again after the snapshots: left where it is, and said', async () => {
    const stage = await withLateVolume(true);
    const { scene } = stage;
    const newInstanceId = await finish(stage);
    expect(volumeAt(scene, newInstanceId, '/dev/sdz')).toBeUndefined();
    expect(scene.log.linesOf('recovery.volumes_left_out')).toHaveLength(1);
  });
});

describe('a retired instance', () => {
  const DAY_MS = 86_400_000;

  async function retired(options: RecoveryFixtureOptions = {}): Promise<Prepared> {
    const stage = await staged(options);
    await finish(stage);
    return stage;
  }

  test.each([1, 2])('that %i answers do not know is terminated all the same', async (times) => {
    const stage = await retired();
    const { scene, old } = stage;
    const match = { resourceId: old.instanceId };
    scene.sim.addFault({ id: 'unseen', action: 'DescribeInstances', match, ...NOT_FOUND, times });
    await collectFor(stage, 300_000);
    expect(scene.sim.fired('unseen')).toBe(times);
    expect(scene.history()[0]?.leftovers.map((one) => one.id)).toContain(old.instanceId);
    await scene.clock.advance(1.1 * DAY_MS);
    await collectFor(stage, 600_000);
    expect(scene.stateOf(old.instanceId)).toBe('terminated');
  });

  test('that no answer knew for so long that it counted as gone is taken back when it is shown again', async () => {
    const stage = await retired();
    const { scene, old } = stage;
    const match = { resourceId: old.instanceId };
    scene.sim.addFault({ id: 'unseen', action: 'DescribeInstances', match, ...NOT_FOUND, times: 10 });
    // The collector that saw it missing is not asked whether it is listed by its tag: that listing
    // fails too.
    const listing = { resourceId: TAG.retiredBy };
    const down = { kind: 'error', code: 'InternalError', httpStatus: 500 } as const;
    scene.sim.addFault({ id: 'no list', action: 'DescribeInstances', match: listing, ...down, times: 1_000 });
    await collectFor(stage, 600_000);
    expect(scene.history()[0]?.leftovers.map((one) => one.id)).not.toContain(old.instanceId);
    scene.sim.removeFault('unseen');
    scene.sim.removeFault('no list');
    await collectFor(stage, 120_000);
    expect(scene.log.linesOf('collector.returned')).toHaveLength(1);
    expect(scene.history()[0]?.leftovers.map((one) => one.id)).toContain(old.instanceId);
    await scene.clock.advance(1.1 * DAY_MS);
    await collectFor(stage, 600_000);
    expect(scene.stateOf(old.instanceId)).toBe('terminated');
    expect(scene.history()[0]?.leftovers.map((one) => one.id)).not.toContain(old.instanceId);
  });

  test('that may not be terminated says why, once its time has come', async () => {
    const stage = await retired();
    const { scene, old } = stage;
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.advance(1.1 * DAY_MS);
    await collectFor(stage, 300_000);
    const left = scene.history()[0]?.leftovers.find((one) => one.id === old.instanceId);
    expect(left?.obstacle).toMatchObject({ code: 'NotStopped', text: 'it is running, not stopped' });
    expect(scene.stateOf(old.instanceId)).toBe('running');
  });

  test('its data volumes are deleted where the policy names a time, not before it is gone', async () => {
    const stage = await retired({ policy: { recover: { retainVolumesForMs: 3_600_000 } } });
    const { scene, old } = stage;
    const dataVolumeId = old.volumeIds['/dev/sdf'] ?? '';
    const there = () => scene.sim.core.region.volumes.get(dataVolumeId)?.state;
    await scene.clock.advance(2 * HOUR_MS);
    await collectFor(stage, 300_000);
    expect(there()).toBe('in-use');
    await scene.clock.advance(DAY_MS);
    await collectFor(stage, 900_000);
    expect(scene.stateOf(old.instanceId)).toBe('terminated');
    expect([undefined, 'deleting', 'deleted']).toContain(there());
    await collectFor(stage, 600_000);
    expect(scene.history()[0]?.leftovers.map((one) => one.kind)).not.toContain('volume');
  });

  test('a data volume somebody uses elsewhere is theirs', async () => {
    const stage = await retired({ policy: { recover: { retainVolumesForMs: 0 } } });
    const { scene, old } = stage;
    const dataVolumeId = old.volumeIds['/dev/sdf'] ?? '';
    const other = scene.seedMember('db/other');
    scene.sim.seed('DetachVolume', { VolumeId: dataVolumeId });
    await scene.clock.advance(60_000);
    scene.sim.seed('AttachVolume', { VolumeId: dataVolumeId, InstanceId: other.instanceId, Device: '/dev/sdq' });
    await scene.clock.advance(2 * DAY_MS);
    await collectFor(stage, 600_000);
    expect(scene.sim.core.region.volumes.get(dataVolumeId)?.state).toBe('in-use');
    expect(scene.log.linesOf('collector.volume_taken')).toHaveLength(1);
  });

  test('the marks say whose its volumes were, and until when', async () => {
    const stage = await retired({ policy: { recover: { retainVolumesForMs: HOUR_MS } } });
    const { scene, old } = stage;
    const tags = scene.sim.core.region.volumes.get(old.volumeIds['/dev/sdf'] ?? '')?.tags ?? {};
    expect(tags[TAG.retiredBy]).toBe(opIdOf(old.instanceId));
    expect(Date.parse(tags[TAG.retainUntil] ?? '')).toBeGreaterThan(0);
  });
});
