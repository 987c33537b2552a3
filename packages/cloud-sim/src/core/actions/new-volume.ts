import { Ec2Error } from '../ec2-error.ts';
import type { SimVolume } from '../model.ts';
import type { Call, Region } from '../region.ts';

/** What CreateVolume and CopyVolumes have in common. */

const MULTI_ATTACH_TYPES: ReadonlySet<string> = new Set(['io1', 'io2']);

/** @throws InvalidParameterCombination for a type that takes one instance only */
export function requireMultiAttachable(multiAttach: boolean, volumeType: string): void {
  if (!multiAttach || MULTI_ATTACH_TYPES.has(volumeType)) return;
  throw new Ec2Error('InvalidParameterCombination', `Multi-Attach is not supported for ${volumeType} volumes.`);
}

/** @throws VolumeLimitExceeded */
export function requireVolumeRoom(region: Region): void {
  if (region.volumes.size < region.quotas.volumes) return;
  throw new Ec2Error('VolumeLimitExceeded', `Maximum number of volumes (${region.quotas.volumes}) exceeded.`);
}

/**
 * The volume that an earlier call with this token made.
 * @throws IdempotentParameterMismatch, InvalidVolume.NotFound (it is gone; the token does not bring
 * it back)
 */
export function knownVolume(
  region: Region,
  scope: string,
  token: string | undefined,
  parameters: object,
): SimVolume | undefined {
  const id = token ? region.tokens.recall(scope, token, parameters)?.[0] : undefined;
  if (id === undefined) return undefined;
  const volume = region.volumes.get(id);
  if (!volume) throw new Ec2Error('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
  return volume;
}

/**
 * "Can appear to complete, but eventually fails" (API Reference, CreateVolume, KmsKeyId): the
 * volume exists for a moment, and then is gone.
 */
function failVolume(region: Region, call: Call, id: string, tookMs: number): void {
  region.volumes.update(id, { state: 'error' }, region.nowMs, call.instant);
  region.transition('volume', id, 'creating', 'error', tookMs);
  region.later(call, 'volume.delete', (_at, goneMs) => {
    region.volumes.remove(id, region.nowMs);
    region.transition('volume', id, 'error', null, goneMs);
  });
}

/** Tells of a new volume in `creating`, which is `available` after a while. */
export function announceVolume(region: Region, call: Call, made: SimVolume): void {
  const { snapshotId, sourceVolumeId } = made;
  region.transition('volume', made.id, null, 'creating', null, {
    snapshotId,
    ...(sourceVolumeId !== null && { sourceVolumeId }),
  });
  region.later(call, 'volume.create', (_at, tookMs) => {
    if (region.volumes.get(made.id)?.state !== 'creating') return;
    if (region.kmsKeys.fault(made.kmsKeyId) !== null) return failVolume(region, call, made.id, tookMs);
    region.volumes.update(made.id, { state: 'available' }, region.nowMs, call.instant);
    region.transition('volume', made.id, 'creating', 'available', tookMs);
  });
}
