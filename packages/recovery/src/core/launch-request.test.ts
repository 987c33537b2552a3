import { clientTokenOf } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { buildImageRequest, buildLaunchRequest, buildPermitRequest, type LaunchInput } from './launch-request.ts';
import {
  instanceFixture,
  OLD_INSTANCE_ID,
  planFixture,
  planInputFixture,
  requestIntentFixture,
  volumeFixture,
} from './plan.fixture.ts';
import { volumeTagsToReapply } from './volume-tags.ts';

const launchInput = (change: Partial<LaunchInput> = {}): LaunchInput => ({
  intent: requestIntentFixture(),
  attempt: 1,
  candidate: { subnetId: 'subnet-a', az: 'us-east-1a', instanceType: 'm7i.large' },
  networkInterfaceId: 'eni-permit',
  imageId: 'ami-new',
  snapshotIdsByVolume: { 'vol-root': 'snap-root', 'vol-data': 'snap-data' },
  ...change,
});

/**
 * The same value with the members of every object in the opposite order: what another writer, or
 * etcd, may hand back.
 */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

describe('a launch request', () => {
  it('is byte-identical for the same input, whatever order the record came back in', () => {
    const input = launchInput();
    const plan = reversed(JSON.parse(JSON.stringify(input.intent.plan))) as LaunchInput['intent']['plan'];
    expect(JSON.stringify(plan)).not.toBe(JSON.stringify(input.intent.plan));
    const again = launchInput({ intent: { ...input.intent, plan } });
    expect(JSON.stringify(buildLaunchRequest(again))).toBe(JSON.stringify(buildLaunchRequest(input)));
  });

  it('asks for exactly one instance on the permit, idempotent by old instance and attempt', () => {
    const request = buildLaunchRequest(launchInput({ attempt: 3 }));
    expect(request).toMatchObject({
      MinCount: 1,
      MaxCount: 1,
      ClientToken: clientTokenOf(OLD_INSTANCE_ID, 'launch', 3),
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-permit' }],
      ImageId: 'ami-new',
      Placement: { AvailabilityZone: 'us-east-1a' },
    });
    expect(request.ClientToken).toHaveLength(64);
    for (const member of ['SubnetId', 'SecurityGroupIds', 'PrivateIpAddress', 'Ipv6Addresses', 'SecurityGroups']) {
      expect(request).not.toHaveProperty(member);
    }
  });

  it('restores data volumes from their snapshots and leaves the root to the image', () => {
    expect(buildLaunchRequest(launchInput()).BlockDeviceMappings).toEqual([
      {
        DeviceName: '/dev/xvda',
        Ebs: { DeleteOnTermination: true, Iops: 3000, Throughput: 125, VolumeSize: 8, VolumeType: 'gp3' },
      },
      {
        DeviceName: '/dev/sdf',
        Ebs: {
          DeleteOnTermination: true,
          Encrypted: true,
          Iops: 3000,
          KmsKeyId: 'arn:aws:kms:::key/1',
          SnapshotId: 'snap-data',
          Throughput: 125,
          VolumeSize: 100,
          VolumeType: 'gp3',
        },
      },
    ]);
  });

  it.each([
    ['gp2', { VolumeType: 'gp2' }],
    ['st1', { VolumeType: 'st1' }],
    ['io2', { VolumeType: 'io2', Iops: 5000 }],
    ['gp3', { VolumeType: 'gp3', Iops: 5000, Throughput: 300 }],
  ])('sends only the rates %s takes', (volumeType, expected) => {
    const rates = { volumeType, iops: 5000, throughputMiBps: 300 };
    const volumes = [volumeFixture({ volumeId: 'vol-root', ...rates }), volumeFixture({ volumeId: 'vol-data' })];
    const intent = requestIntentFixture(planFixture({ volumes }));
    const [root] = buildLaunchRequest(launchInput({ intent })).BlockDeviceMappings as { Ebs: object }[];
    expect(root?.Ebs).toEqual({ DeleteOnTermination: true, VolumeSize: 8, ...expected });
  });

  it('never says Encrypted without naming the key: that would change the key', () => {
    const volumes = [volumeFixture({ volumeId: 'vol-root' }), volumeFixture({ volumeId: 'vol-data', encrypted: true })];
    const intent = requestIntentFixture(planFixture({ volumes }));
    expect(JSON.stringify(buildLaunchRequest(launchInput({ intent })))).not.toContain('Encrypted');
  });

  it('is not built without the snapshot of a data volume', () => {
    const snapshotIdsByVolume = { 'vol-root': 'snap-root' };
    expect(() => buildLaunchRequest(launchInput({ snapshotIdsByVolume }))).toThrow(
      /no snapshot of data volume vol-data/,
    );
  });

  it('tags the instance as member of this recovery and the volumes with what they have in common', () => {
    const mark = [
      { Key: 'understudy:attempt', Value: '1' },
      { Key: 'understudy:op', Value: requestIntentFixture().opId },
    ];
    const byKey = (a: { Key: string }, b: { Key: string }) => (a.Key < b.Key ? -1 : 1);
    const member = [
      { Key: 'Name', Value: 'db one' },
      { Key: 'understudy:group', Value: 'db' },
      { Key: 'understudy:member', Value: 'one' },
      { Key: 'understudy:seed-image', Value: 'ami-0aaaaaaaaaaaaaaa1' },
    ];
    expect(buildLaunchRequest(launchInput()).TagSpecifications).toEqual([
      { ResourceType: 'instance', Tags: [...member, ...mark].sort(byKey) },
      { ResourceType: 'volume', Tags: [{ Key: 'Name', Value: 'disk' }, ...mark] },
    ]);
  });

  it('never exceeds 50 tags, and keeps the marks of the recovery', () => {
    const tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`a${i}`, 'v']));
    const intent = requestIntentFixture(planFixture({ instance: instanceFixture({ tags }) }));
    const [specification] = buildLaunchRequest(launchInput({ intent })).TagSpecifications as {
      Tags: { Key: string }[];
    }[];
    expect(specification?.Tags).toHaveLength(50);
    expect(specification?.Tags.filter(({ Key }) => Key.startsWith('understudy:'))).toHaveLength(5);
  });

  it('leaves out what is bound to the own zone in another zone', () => {
    const raw = {
      Placement: { AvailabilityZone: 'us-east-1a', GroupName: 'pg', PartitionNumber: 2, Tenancy: 'dedicated' },
      CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } },
    };
    const intent = requestIntentFixture(planFixture({ instance: instanceFixture({}, raw) }));
    const candidate = { subnetId: 'subnet-b', az: 'us-east-1b', instanceType: 'm7i.large' };
    expect(buildLaunchRequest(launchInput({ intent })).Placement).toEqual({ ...raw.Placement });
    const elsewhere = buildLaunchRequest(launchInput({ intent, candidate }));
    expect(elsewhere.Placement).toEqual({ AvailabilityZone: 'us-east-1b', Tenancy: 'dedicated' });
    expect(elsewhere).not.toHaveProperty('CapacityReservationSpecification');
  });

  it('leaves out what is bound to the own type on another type', () => {
    const raw = { CpuOptions: { CoreCount: 1, ThreadsPerCore: 1 }, EnclaveOptions: { Enabled: true } };
    const instance = instanceFixture({ instanceType: 't3.small' }, raw);
    const intent = requestIntentFixture(planFixture({ instance, cpuCredits: 'standard' }));
    const at = (instanceType: string) =>
      Object.keys(
        buildLaunchRequest(
          launchInput({ intent, candidate: { subnetId: 'subnet-a', az: 'us-east-1a', instanceType } }),
        ),
      );
    const bound = ['CpuOptions', 'EbsOptimized', 'EnclaveOptions'];
    expect(at('t3.small')).toEqual(expect.arrayContaining([...bound, 'CreditSpecification']));
    expect(at('t3.medium')).toContain('CreditSpecification');
    for (const member of [...bound, 'CreditSpecification']) expect(at('m7i.large')).not.toContain(member);
  });
});

describe('the permit', () => {
  it('is a network interface with the security groups, tags and a token of its own', () => {
    const { intent, candidate } = launchInput();
    const request = buildPermitRequest({ intent, candidate, attempt: 2 });
    expect(request).toEqual({
      clientToken: clientTokenOf(OLD_INSTANCE_ID, 'permit', 2),
      subnetId: 'subnet-a',
      groupIds: ['sg-1', 'sg-2'],
      description: `understudy db/one ${intent.opId} attempt 2`,
      tags: { Name: 'eni of db one', 'understudy:op': intent.opId, 'understudy:attempt': '2' },
    });
    expect(request.clientToken).not.toBe(clientTokenOf(OLD_INSTANCE_ID, 'launch', 2));
  });
});

describe('the image', () => {
  it('has a name that only this recovery has', () => {
    const intent = requestIntentFixture();
    expect(buildImageRequest({ intent, rootSnapshotId: 'snap-root' })).toEqual({
      name: `understudy-${intent.opId}`,
      rootDeviceName: '/dev/xvda',
      rootSnapshotId: 'snap-root',
      architecture: 'x86_64',
      bootMode: 'legacy-bios',
      enaSupport: true,
      tpmSupport: null,
      sriovNetSupport: null,
      virtualizationType: 'hvm',
      imdsSupport: null,
      tags: { 'understudy:op': intent.opId },
    });
  });
});

describe('volume tags to re-apply', () => {
  it('are those that differ from volume to volume', () => {
    const replacement = instanceFixture({
      volumes: [{ volumeId: 'vol-new', deviceName: '/dev/sdf', status: 'attached', deleteOnTermination: false }],
    });
    expect(volumeTagsToReapply(planFixture(), replacement)).toEqual([
      { volumeId: 'vol-new', tags: { team: 'vol-data' } },
    ]);
    expect(planInputFixture().volumes[1]?.tags).toEqual({ Name: 'disk', team: 'vol-data' });
  });
});
