import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSnapshotsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CloudSimConfigSchema } from '../config.ts';
import { type RunningCloudSim, startCloudSim } from '../cloud-sim-server.ts';
import { type SeededInstance, seedInstance } from '../seed-instance.ts';

let workDir: string;
let server: RunningCloudSim;
let client: EC2Client;
let db: SeededInstance;
const text = expect.any(String);

beforeAll(async () => {
  workDir = mkdtempSync(join(tmpdir(), 'cloud-sim-'));
  const config = CloudSimConfigSchema.parse({ workDir, speed: 1_000, http: { port: 0 } });
  const parts = { clock: new SystemClock(), random: new SystemRandom(), log: silentLog, env: {} };
  server = await startCloudSim(config, parts);
  client = new EC2Client({
    region: 'us-east-1',
    endpoint: server.url,
    maxAttempts: 1,
    credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
  });
  db = seedInstance(server.sim, {
    member: 'db/one',
    elasticIp: true,
    dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 2 }],
    userData: 'member: db/one\n',
    request: { KeyName: 'ops', IamInstanceProfile: { Name: 'db' }, DisableApiStop: true },
  });
});

afterAll(async () => {
  client.destroy();
  await server.close();
  rmSync(workDir, { recursive: true, force: true });
});

test('describeInstances has all that CloudInstance needs', async () => {
  const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [db.instanceId] }));
  expect(Reservations?.[0]?.Instances?.[0]).toMatchObject({
    InstanceId: db.instanceId,
    State: { Code: 16, Name: 'running' },
    ImageId: server.sim.defaultResources.imageId,
    InstanceType: 't3.micro',
    Placement: { AvailabilityZone: 'us-east-1a', Tenancy: 'default' },
    SubnetId: db.subnetId,
    PrivateIpAddress: db.privateIp,
    PublicIpAddress: db.publicIp,
    KeyName: 'ops',
    IamInstanceProfile: { Arn: expect.stringContaining(':instance-profile/db') },
    Architecture: 'x86_64',
    RootDeviceName: '/dev/xvda',
    EbsOptimized: false,
    Monitoring: { State: 'disabled' },
    LaunchTime: expect.any(Date),
    Tags: expect.arrayContaining([{ Key: 'understudy:group', Value: 'db' }]),
    MetadataOptions: { HttpTokens: 'required' },
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { VolumeId: text, Status: 'attached', DeleteOnTermination: true } },
      { DeviceName: '/dev/sdf', Ebs: { VolumeId: text, Status: 'attached', DeleteOnTermination: false } },
    ],
    NetworkInterfaces: [
      {
        NetworkInterfaceId: db.networkInterfaceId,
        SubnetId: db.subnetId,
        PrivateIpAddress: db.privateIp,
        Groups: [{ GroupId: server.sim.defaultResources.securityGroupId }],
        Attachment: { AttachmentId: text, DeviceIndex: 0, DeleteOnTermination: true },
      },
    ],
  });
});

test('the other reads have all that their shapes need', async () => {
  const status = await client.send(new DescribeInstanceStatusCommand({ InstanceIds: [db.instanceId] }));
  expect(status.InstanceStatuses?.[0]).toMatchObject({
    InstanceId: db.instanceId,
    InstanceState: { Name: 'running' },
    SystemStatus: { Status: 'ok' },
    InstanceStatus: { Status: 'ok' },
    AttachedEbsStatus: { Status: 'ok' },
  });
  const VolumeId = db.volumeIds['/dev/sdf'] ?? '';
  const volumes = await client.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }));
  expect(volumes.Volumes?.[0]).toMatchObject({
    VolumeId,
    State: 'in-use',
    AvailabilityZone: 'us-east-1a',
    Size: 2,
    VolumeType: 'gp3',
    Iops: 3_000,
    Throughput: 125,
    Encrypted: false,
    MultiAttachEnabled: false,
    Attachments: [{ InstanceId: db.instanceId, Device: '/dev/sdf', State: 'attached' }],
    Tags: expect.arrayContaining([{ Key: 'understudy:member', Value: 'one' }]),
  });
  const { SnapshotId } = server.sim.seed('CreateSnapshot', { VolumeId });
  const snapshots = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [String(SnapshotId)] }));
  expect(snapshots.Snapshots?.[0]).toMatchObject({
    SnapshotId,
    VolumeId,
    State: 'completed',
    Progress: '100%',
    StartTime: expect.any(Date),
  });
  const images = await client.send(new DescribeImagesCommand({ ImageIds: [server.sim.defaultResources.imageId] }));
  expect(images.Images?.[0]).toMatchObject({
    Name: text,
    State: 'available',
    BootMode: 'uefi-preferred',
    EnaSupport: true,
    ImdsSupport: 'v2.0',
    VirtualizationType: 'hvm',
    Architecture: 'x86_64',
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { SnapshotId: server.sim.defaultResources.imageSnapshotId } },
    ],
  });
});

test('network and attributes have all that their shapes need', async () => {
  const ids = { NetworkInterfaceIds: [db.networkInterfaceId] };
  const nics = await client.send(new DescribeNetworkInterfacesCommand(ids));
  expect(nics.NetworkInterfaces?.[0]).toMatchObject({
    Status: 'in-use',
    AvailabilityZone: 'us-east-1a',
    SubnetId: db.subnetId,
    PrivateIpAddress: db.privateIp,
    SourceDestCheck: true,
    Description: '',
    Attachment: { InstanceId: db.instanceId },
    Association: { AllocationId: db.allocationId, AssociationId: db.associationId },
  });
  const addresses = await client.send(new DescribeAddressesCommand({ AllocationIds: [db.allocationId ?? ''] }));
  expect(addresses.Addresses?.[0]).toMatchObject({
    PublicIp: db.publicIp,
    AssociationId: db.associationId,
    NetworkInterfaceId: db.networkInterfaceId,
    InstanceId: db.instanceId,
    PrivateIpAddress: db.privateIp,
  });
  const subnets = await client.send(new DescribeSubnetsCommand({ SubnetIds: [db.subnetId] }));
  expect(subnets.Subnets?.[0]).toMatchObject({
    AvailabilityZone: 'us-east-1a',
    VpcId: server.sim.defaultResources.vpcId,
    AvailableIpAddressCount: 4_090,
  });
  const attribute = async (Attribute: 'userData' | 'disableApiStop' | 'disableApiTermination') =>
    client.send(new DescribeInstanceAttributeCommand({ InstanceId: db.instanceId, Attribute }));
  expect((await attribute('userData')).UserData?.Value).toBe(Buffer.from('member: db/one\n').toString('base64'));
  expect((await attribute('disableApiStop')).DisableApiStop?.Value).toBe(true);
  expect((await attribute('disableApiTermination')).DisableApiTermination?.Value).toBe(false);
});
