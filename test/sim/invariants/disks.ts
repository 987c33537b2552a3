import type { CallEvent, TransitionEvent } from '@understudy/cloud-sim';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher } from './invariant.ts';

/** Calls that take a disk away from the instance that has it, or make a second one of it. */
const TAKING: Readonly<Record<string, string>> = {
  DetachVolume: 'VolumeId',
  CopyVolumes: 'SourceVolumeId',
};

const isDown = (cluster: SimulatedCluster, instanceId: string): boolean => {
  const instance = cluster.cloud.core.region.instances.get(instanceId);
  return instance === undefined || instance.state === 'stopped' || instance.state === 'terminated';
};

/** Instances that have the volume at the moment, or that it is being taken off. */
function holdersOf({ cloud }: SimulatedCluster, volumeId: string): readonly string[] {
  return (cloud.core.region.volumes.get(volumeId)?.attachments ?? []).map((one) => one.instanceId);
}

/** Null: nothing is wrong with it. */
function wrongTaking(cluster: SimulatedCluster, { action, executed, input }: CallEvent): string | null {
  const key = TAKING[action];
  if (key === undefined || !executed || input['DryRun'] === true) return null;
  const volumeId = String(input[key]);
  const named = input['InstanceId'];
  const holders = holdersOf(cluster, volumeId).filter(
    (id) => action !== 'DetachVolume' || named === undefined || id === named,
  );
  const running = holders.filter((id) => !isDown(cluster, id));
  return running.length === 0 ? null : `${action} of ${volumeId} while ${running.join(', ')} may run`;
}

/** A disk that several instances have at once is one truth: a copy of it would be another. */
function secondTruth(cluster: SimulatedCluster, { resourceKind, resourceId, from }: TransitionEvent): string | null {
  if (resourceKind !== 'volume' || from !== null) return null;
  const { volumes, snapshots } = cluster.cloud.core.region;
  const made = volumes.get(resourceId);
  const source = made?.sourceVolumeId ?? snapshots.get(made?.snapshotId ?? '')?.volumeId;
  return volumes.get(source ?? '')?.multiAttach === true
    ? `${resourceId} was made of ${source}, which is shared`
    : null;
}

/**
 * I12: a disk is taken off its instance, or copied, only once that is down (S4), whenever the call
 * lands; and a Multi-Attach volume is never made into a second one.
 */
export const watchDisks: MakeWatcher = (cluster, report) => ({
  onClusterEvent(clusterEvent) {
    if (clusterEvent.kind !== 'cloud') return;
    const { event } = clusterEvent;
    const fault = event.kind === 'call' ? wrongTaking(cluster, event) : secondTruth(cluster, event);
    if (fault !== null) report('I12', fault);
  },
});
