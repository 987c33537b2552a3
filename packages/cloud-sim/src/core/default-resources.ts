import { DEFAULT_KEY_ALIAS } from './kms/keys.ts';
import type { Region } from './region.ts';

/** The resources of a new Region. The ids are the same in every run. */
export interface DefaultResources {
  readonly vpcId: string;
  readonly securityGroupId: string;
  /** Subnet ids by zone. */
  readonly subnets: Readonly<Record<string, string>>;
  readonly imageId: string;
  readonly imageSnapshotId: string;
  readonly rootDeviceName: string;
}

const hex = (serial: number): string => serial.toString(16).padStart(17, '0');

/**
 * One VPC, the account's key for volumes, one subnet per zone, one default security group, one
 * public base image with an 8 GiB root.
 */
export function buildDefaultResources(region: Region): DefaultResources {
  const vpcId = `vpc-${hex(0xd001)}`;
  const securityGroupId = `sg-${hex(0xd002)}`;
  const imageId = `ami-${hex(0xba5e)}`;
  const imageSnapshotId = `snap-${hex(0xba5e)}`;
  const rootDeviceName = '/dev/xvda';
  const ebsKey = { id: '0eb50eb5-0eb5-40eb-8eb5-0eb50eb50eb5', state: 'Enabled', manager: 'AWS' } as const;
  const always = { access: 'all', multiRegion: false, createdAtWallMs: 0, deletionAtWallMs: null } as const;
  region.kmsKeys.add({ ...ebsKey, ...always }, DEFAULT_KEY_ALIAS);
  region.vpcs.put({ id: vpcId, cidrBlock: '172.31.0.0/16', tags: {} }, 0, true);
  region.securityGroups.put({ id: securityGroupId, name: 'default', vpcId, tags: {} }, 0, true);
  const subnets: Record<string, string> = {};
  for (const [i, az] of region.zones.entries()) {
    const id = `subnet-${hex(0xd00a + i)}`;
    const networkPrefix = `172.31.${i * 16}`;
    const cidrBlock = `${networkPrefix}.0/20`;
    const ipv6Prefix = `2001:db8:0:${i}`;
    const tags = { Name: az };
    region.subnets.put({ id, az, vpcId, networkPrefix, cidrBlock, ipv6Prefix, mapPublicIp: false, tags }, 0, true);
    subnets[az] = id;
  }
  putBaseImage(region, imageId, imageSnapshotId, rootDeviceName);
  return { vpcId, securityGroupId, subnets, imageId, imageSnapshotId, rootDeviceName };
}

function putBaseImage(region: Region, imageId: string, snapshotId: string, rootDeviceName: string): void {
  const snapshot = {
    id: snapshotId,
    volumeId: `vol-${hex(0xffff)}`,
    state: 'completed' as const,
    sizeGiB: 8,
    encrypted: false,
    kmsKeyId: null,
    description: 'base image',
    startedAtMs: 0,
    startedAtWallMs: 0,
    dueAtMs: 0,
    completedAtWallMs: 0,
    cloudInitRanFor: null,
    tags: {},
  };
  region.snapshots.put(snapshot, 0, true);
  const image = {
    id: imageId,
    name: 'base-linux-x86_64',
    state: 'available' as const,
    request: {
      Name: 'base-linux-x86_64',
      Description: 'base image',
      Architecture: 'x86_64' as const,
      RootDeviceName: rootDeviceName,
      VirtualizationType: 'hvm',
      EnaSupport: true,
      BootMode: 'uefi-preferred' as const,
      ImdsSupport: 'v2.0' as const,
      SriovNetSupport: 'simple',
      BlockDeviceMappings: [
        {
          DeviceName: rootDeviceName,
          Ebs: { SnapshotId: snapshotId, VolumeSize: 8, VolumeType: 'gp3' as const, DeleteOnTermination: true },
        },
      ],
    },
    rootDeviceName,
    rootSnapshotId: snapshotId,
    architecture: 'x86_64',
    createdAtWallMs: 0,
    isPublic: true,
    tags: {},
  };
  region.images.put(image, 0, true);
}
