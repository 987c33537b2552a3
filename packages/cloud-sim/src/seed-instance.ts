import type { Instance, Reservation, Tag } from '@aws-sdk/client-ec2';
import type { CloudSim } from './cloud-sim.ts';

export interface SeedInstance {
  /**
   * `group/name`. It gives the tags `understudy:group` (the group) and `understudy:member` (as
   * given in `memberTag`, default the name part).
   */
  readonly member?: string;
  readonly memberTag?: string;
  readonly az?: string;
  readonly instanceType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly dataVolumes?: readonly {
    readonly deviceName: string;
    readonly sizeGiB: number;
    /** Absent: not encrypted. */
    readonly kmsKeyId?: string;
  }[];
  readonly elasticIp?: boolean;
  /** Plain text, kept as base64. */
  readonly userData?: string;
  /** Merged into the RunInstances request. */
  readonly request?: Readonly<Record<string, unknown>>;
}

export interface SeededInstance {
  readonly instanceId: string;
  readonly az: string;
  readonly subnetId: string;
  readonly networkInterfaceId: string;
  readonly privateIp: string;
  /** Volume ids by device name, the root included. */
  readonly volumeIds: Readonly<Record<string, string>>;
  readonly allocationId: string | null;
  readonly associationId: string | null;
  readonly publicIp: string | null;
}

const tagList = (tags: Readonly<Record<string, string>>): Tag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

function memberTags(wanted: SeedInstance): Record<string, string> {
  if (wanted.member === undefined) return { ...wanted.tags };
  const [group = '', name = ''] = wanted.member.split('/');
  return { 'understudy:group': group, 'understudy:member': wanted.memberTag ?? name, ...wanted.tags };
}

function launchRequest(sim: CloudSim, wanted: SeedInstance, az: string): Record<string, unknown> {
  const tags = tagList({ Name: wanted.member ?? 'seeded', ...memberTags(wanted) });
  const devices = wanted.dataVolumes ?? [];
  return {
    ImageId: sim.defaultResources.imageId,
    InstanceType: wanted.instanceType ?? 't3.micro',
    MinCount: 1,
    MaxCount: 1,
    SubnetId: sim.defaultResources.subnets[az],
    SecurityGroupIds: [sim.defaultResources.securityGroupId],
    TagSpecifications: [
      { ResourceType: 'instance', Tags: tags },
      { ResourceType: 'volume', Tags: tags },
    ],
    ...(wanted.userData !== undefined && { UserData: btoa(wanted.userData) }),
    ...(devices.length > 0 && {
      BlockDeviceMappings: devices.map(({ deviceName, sizeGiB, kmsKeyId }) => ({
        DeviceName: deviceName,
        Ebs: {
          ...{ VolumeSize: sizeGiB, VolumeType: 'gp3', DeleteOnTermination: false },
          ...(kmsKeyId !== undefined && { Encrypted: true, KmsKeyId: kmsKeyId }),
        },
      })),
    }),
    ...wanted.request,
  };
}

function describeOne(sim: CloudSim, instanceId: string): Instance {
  const { Reservations } = sim.seed('DescribeInstances', { InstanceIds: [instanceId] });
  const instance = (Reservations as Reservation[])[0]?.Instances?.[0];
  if (!instance) throw new Error(`seeded instance ${instanceId} is not there`);
  return instance;
}

function giveAddress(sim: CloudSim, instanceId: string) {
  const made = sim.seed('AllocateAddress', { Domain: 'vpc' }) as { AllocationId: string; PublicIp: string };
  const { AssociationId } = sim.seed('AssociateAddress', { AllocationId: made.AllocationId, InstanceId: instanceId });
  return { allocationId: made.AllocationId, publicIp: made.PublicIp, associationId: AssociationId as string };
}

/** A running instance that seems to exist for long, made without a single API call. For tests. */
export function seedInstance(sim: CloudSim, wanted: SeedInstance = {}): SeededInstance {
  const az = wanted.az ?? sim.zones[0] ?? '';
  const launched = sim.seed('RunInstances', launchRequest(sim, wanted, az)) as Reservation;
  const instanceId = launched.Instances?.[0]?.InstanceId ?? '';
  const address = wanted.elasticIp ? giveAddress(sim, instanceId) : null;
  const instance = describeOne(sim, instanceId);
  const primary = instance.NetworkInterfaces?.[0];
  return {
    instanceId,
    az,
    subnetId: instance.SubnetId ?? '',
    networkInterfaceId: primary?.NetworkInterfaceId ?? '',
    privateIp: instance.PrivateIpAddress ?? '',
    volumeIds: Object.fromEntries(
      (instance.BlockDeviceMappings ?? []).map((mapping) => [mapping.DeviceName ?? '', mapping.Ebs?.VolumeId ?? '']),
    ),
    allocationId: address?.allocationId ?? null,
    associationId: address?.associationId ?? null,
    publicIp: address?.publicIp ?? null,
  };
}
