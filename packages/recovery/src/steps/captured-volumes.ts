import { OperationError, type PlannedVolume } from '@understudy/shared';
import { type SnapshotSet, volumesBeside } from '../core/capture-decision.ts';
import { plannedVolumes } from '../core/planned-volumes.ts';
import { fencedBy } from './fenced-by.ts';
import type { Run } from '../run.ts';
import { disksOf } from '../volumes/volume-paths.ts';

/**
 * The disks the replacement gets: those of the plan and, once the capture is done, those that were
 * attached after it was made and captured with them.
 */
export const volumesOf = (run: Pick<Run, 'record' | 'plan' | 'journal' | 'seams'>): readonly PlannedVolume[] =>
  disksOf(run, run.seams);

/**
 * What a set captured beside the plan's volumes, as the old instance has it attached now. One that
 * was taken off again meanwhile is somebody's doing: it is left where it is, and said. @throws
 * CLOUD_NOT_FOUND (look again) while EC2 does not show the instance.
 */
export async function capturedBeside(run: Run, set: SnapshotSet): Promise<readonly PlannedVolume[]> {
  const ids = volumesBeside(run.plan.volumes, set);
  if (ids.length === 0) return [];
  const { oldInstanceId } = run.record;
  const [instances, volumes] = await Promise.all([
    run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options)),
    run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': [...ids] }, options)),
  ]);
  const instance = instances.find((one) => one.instanceId === oldInstanceId);
  if (!instance && fencedBy(run) === 'stopped')
    throw new OperationError('CLOUD_NOT_FOUND', `EC2 does not show ${oldInstanceId}`);
  const carried = instance ? plannedVolumes(instance, volumes).filter((one) => ids.includes(one.volumeId)) : [];
  const left = ids.filter((id) => !carried.some((one) => one.volumeId === id));
  const { log } = run.parts;
  if (carried.length > 0) log.info('recovery.volumes_added', { volumeIds: carried.map((one) => one.volumeId) });
  if (left.length > 0)
    log.warn('recovery.volumes_left_out', { volumeIds: left, text: 'captured, but on the old instance no more' });
  return carried;
}
