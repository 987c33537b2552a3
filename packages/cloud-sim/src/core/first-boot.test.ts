import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { cloudInit, sameDevice } from './cloud-init.ts';
import { testRegion } from './region.fixtures.ts';

const FORMATS = '#cloud-config\nfs_setup:\n- { device: /dev/nvme1n1, filesystem: ext4, overwrite: false }\n';
const encoded = (text: string) => Buffer.from(text).toString('base64');

/** Captures a machine and launches another from it, as a recovery does. */
async function restored(userData: string) {
  const one = testRegion({ latency: { 'instance.pending': [500, 500] } });
  const old = seedInstance(one.sim, { userData, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
  const { region } = one.sim.core;
  const before = one.sim.log.lastSeq;
  const { Snapshots } = one.sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: old.instanceId } });
  const snapshots = Snapshots as { SnapshotId: string; VolumeId: string }[];
  const of = (device: string) => snapshots.find((each) => each.VolumeId === old.volumeIds[device])?.SnapshotId;
  const { ImageId } = one.sim.seed('RegisterImage', {
    Name: 'restored',
    Architecture: 'x86_64',
    RootDeviceName: '/dev/xvda',
    VirtualizationType: 'hvm',
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: of('/dev/xvda') } }],
  });
  const disks = [{ DeviceName: '/dev/sdf', Ebs: { SnapshotId: of('/dev/sdf') } }];
  const fresh = seedInstance(one.sim, {
    request: { ImageId, BlockDeviceMappings: disks, UserData: encoded(userData) },
  });
  const formatted = one.sim.log
    .events(before)
    .filter((event) => event.kind === 'transition' && event.detail['formatted']);
  return { region, old, fresh, formatted };
}

describe('the first boot of an instance id', () => {
  test('formats what its user data names, again on a disk that was restored', async () => {
    const { region, fresh, formatted } = await restored(FORMATS);
    expect(formatted).toMatchObject([{ resourceId: fresh.volumeIds['/dev/sdf'], detail: { by: 'fs_setup' } }]);
    expect(region.instances.get(fresh.instanceId)?.firstBoot).toMatchObject({ ran: ['cloud-config'] });
  });

  test('is one only: a stop and a start format nothing', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim, {
      userData: FORMATS,
      dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }],
    });
    const before = one.sim.log.lastSeq;
    await one.ok('StopInstances', { InstanceIds: [instanceId], SkipOsShutdown: true });
    await one.clock.advance(120_000);
    await one.ok('StartInstances', { InstanceIds: [instanceId] });
    await one.clock.advance(120_000);
    expect(one.sim.core.region.instances.get(instanceId)?.state).toBe('running');
    expect(one.sim.log.events(before).filter((event) => 'detail' in event && event.detail['formatted'])).toEqual([]);
  });

  test('leaves the disks alone with other user data', async () => {
    expect((await restored('member: db/one\n')).formatted).toEqual([]);
    expect((await restored('#cloud-config\npackages: [parted]\n')).formatted).toEqual([]);
  });
});

describe('cloud-init', () => {
  test('lets later parts replace the keys of earlier ones, nested or not', () => {
    const part = (text: string) => `--B\nContent-Type: text/cloud-config\n\n${text}\n`;
    const inner = `Content-Type: multipart/mixed; boundary="B"\nMIME-Version: 1.0\n\n${part(FORMATS)}--B--`;
    expect(cloudInit(encoded(inner)).formats).toEqual([{ device: '/dev/nvme1n1', by: 'fs_setup' }]);
    const outer = `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="O"\n\n--O\n${inner}\n--O\nContent-Type: text/cloud-config\n\n#cloud-config\n{"disk_setup":{},"fs_setup":[]}\n--O--\n`;
    expect(cloudInit(encoded(outer)).formats).toEqual([]);
  });

  test('finds mkfs in commands and scripts', () => {
    expect(cloudInit(encoded('#cloud-config\nruncmd: [[mkfs.ext4, -F, /dev/sdf]]\n')).formats).toEqual([
      { device: '/dev/sdf', by: 'runcmd' },
    ]);
    expect(cloudInit(encoded('#!/bin/sh\nmkfs -t xfs /dev/sdg\n')).formats).toEqual([
      { device: '/dev/sdg', by: 'script' },
    ]);
  });

  test.each([
    ['/dev/xvdf', '/dev/sdf', 1, true],
    ['/dev/sdf1', '/dev/sdf', 1, true],
    ['/dev/nvme1n1p1', '/dev/sdf', 1, true],
    ['/dev/nvme2n1', '/dev/sdf', 1, false],
    ['/dev/sdg', '/dev/sdf', 1, false],
  ])('takes %s for %s at place %i: %s', (named, attached, place, same) => {
    expect(sameDevice(named, attached, place)).toBe(same);
  });
});
