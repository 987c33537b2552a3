import { seedInstance } from '@understudy/cloud-sim';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** EC2 needs this long until a new volume can be attached, and more. */
const MADE_AFTER_MS = 20_000;
/** Every so manieth member has one. */
const EVERY = 3;

/** Gives members a Multi-Attach volume that a bystander writes to as well. */
export function shareVolumes({ cloud, kernel, members, activeInstanceOf }: Sharing): void {
  for (const [index, member] of members.entries()) {
    if (index % EVERY !== 0) continue;
    const AvailabilityZone = cloud.zones[index % cloud.zones.length] ?? '';
    const request = { AvailabilityZone, VolumeType: 'io2', Iops: 100, Size: 8, MultiAttachEnabled: true };
    const VolumeId = String(cloud.seed('CreateVolume', request)['VolumeId']);
    const bystander = seedInstance(cloud, { az: AvailabilityZone }).instanceId;
    kernel.setTimer(MADE_AFTER_MS, () => {
      for (const InstanceId of [activeInstanceOf(member), bystander])
        if (InstanceId !== null) cloud.seed('AttachVolume', { VolumeId, InstanceId, Device: '/dev/sdm' });
    });
  }
}

type Sharing = Pick<SimulatedCluster, 'cloud' | 'kernel' | 'members'> & {
  readonly activeInstanceOf: (member: SimulatedCluster['members'][number]) => string | null;
};

/** Earlier snapshots of everything, as a backup makes them. */
export function backUp({ cloud }: Pick<SimulatedCluster, 'cloud'>, instanceIds: readonly string[]): void {
  for (const InstanceId of instanceIds) cloud.seed('CreateSnapshots', { InstanceSpecification: { InstanceId } });
}
