import { expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { launch, testRegion } from './region.fixtures.ts';

const SLOW = {
  'volume.initialize-per-gib': [60_000, 60_000],
  'volume.first-read-per-gib': [20_000, 20_000],
  'instance.pending': [5_000, 5_000],
  'instance.checks-ok': [100_000, 100_000],
} as const;
const DATA_GIB = 20;

interface StatusView {
  readonly InstanceStatuses: readonly { readonly InstanceStatus: { readonly Status: string } }[];
}

/** A Region whose blocks come lazily, and a launch with a data disk from a snapshot. */
function lazyRegion(latency: Record<string, readonly [number, number]> = SLOW) {
  const one = testRegion({ latency });
  const { sim } = one;
  const db = seedInstance(sim, { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: DATA_GIB }] });
  const { SnapshotId } = sim.seed('CreateSnapshot', { VolumeId: db.volumeIds['/dev/sdf'] });
  const rootSnapshotId = sim.core.region.images.get(sim.defaultResources.imageId)?.rootSnapshotId ?? '';
  const launched = async (ebs: Record<string, unknown> = {}) => {
    const BlockDeviceMappings = [{ DeviceName: '/dev/sdf', Ebs: { SnapshotId, VolumeType: 'gp3', ...ebs } }];
    const id = await launch(one, { SubnetId: sim.defaultResources.subnets['us-east-1a'], BlockDeviceMappings });
    await one.clock.advance(8_000);
    return id;
  };
  const slowMs = (id: string) => sim.log.transitions(id).findLast(({ to }) => to === 'running')?.detail['firstReadsMs'];
  const status = async (InstanceIds: readonly string[]) => {
    const { InstanceStatuses } = await one.ok<StatusView>('DescribeInstanceStatus', { InstanceIds });
    return InstanceStatuses[0]?.InstanceStatus.Status;
  };
  return { one, sim, launched, slowMs, status, snapshots: [rootSnapshotId, String(SnapshotId)] };
}

test('a machine from snapshots is not up when others are: its first reads wait for blocks', async () => {
  const { one, launched, slowMs, status } = lazyRegion();
  const id = await launched();
  // 20 GiB, of which little has come while it was pending, at 20 s each.
  expect(slowMs(id)).toBeGreaterThan(390_000);
  expect(slowMs(id)).toBeLessThan(400_000);
  // The naive expectation: its checks pass after the usual 100 s.
  await one.clock.advance(120_000);
  expect(await status([id])).toBe('initializing');
  await one.clock.advance(400_000);
  expect(await status([id])).toBe('ok');
});

test('with a VolumeInitializationRate it waits no longer than until all blocks have come', async () => {
  const { launched, slowMs } = lazyRegion({ ...SLOW, 'volume.initialize-per-gib': [0, 0] });
  const id = await launched({ VolumeInitializationRate: 300 });
  // 20 GiB at 300 MiB/s are 68.3 s, 5 s of which were over before it ran.
  expect(slowMs(id)).toBeGreaterThan(62_000);
  expect(slowMs(id)).toBeLessThan(64_000);
});

test('with fast snapshot restore in its zone it waits for nothing', async () => {
  const { one, sim, launched, slowMs, status, snapshots } = lazyRegion();
  for (const snapshotId of snapshots) sim.setFastRestore('us-east-1a', snapshotId, true);
  const id = await launched();
  expect(slowMs(id)).toBeUndefined();
  await one.clock.advance(120_000);
  expect(await status([id])).toBe('ok');
});

test('what has come before a reboot is not waited for again', async () => {
  const { one, launched, slowMs } = lazyRegion();
  const id = await launched();
  const first = Number(slowMs(id));
  await one.clock.advance((DATA_GIB * 60_000) / 2);
  await one.ok('RebootInstances', { InstanceIds: [id] });
  await one.clock.advance(25_000);
  expect(Number(slowMs(id)) / first).toBeCloseTo(0.5, 1);
});

test('unless it is asked for, no boot takes longer', async () => {
  const { launched, slowMs } = lazyRegion({});
  expect(slowMs(await launched())).toBeUndefined();
});
