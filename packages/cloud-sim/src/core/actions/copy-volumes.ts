import type { CopyVolumesRequest, CopyVolumesResult } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { initializationOf, isInitializing } from '../initialization.ts';
import { DEFAULT_KEY_ALIAS } from '../kms/keys.ts';
import { need } from '../lookup.ts';
import type { SimVolume } from '../model.ts';
import { tagsFor } from '../tags.ts';
import type { Call, Region } from '../region.ts';
import { volumeShape } from './launch-disks.ts';
import { announceVolume, knownVolume, requireMultiAttachable, requireVolumeRoom } from './new-volume.ts';
import { volumeView } from './volume-views.ts';

const isCopying = (region: Region, one: SimVolume): boolean =>
  one.sourceVolumeId !== null && isInitializing(one.initialization, region.nowMs);

/**
 * One copy at a time per source, and five per Region, counted until they are initialized (EBS user
 * guide, Copy a volume).
 * @throws IncorrectState, CopyVolumesLimitExceeded
 */
function requireCopyable(region: Region, source: SimVolume): void {
  if (source.state !== 'available' && source.state !== 'in-use') {
    throw new Ec2Error('IncorrectState', `Volume '${source.id}' is in state '${source.state}'`);
  }
  const copying = region.volumes.all().filter((one) => isCopying(region, one));
  const ofSource = copying.filter((one) => one.sourceVolumeId === source.id).length;
  if (ofSource === 0 && copying.length < region.quotas.volumeCopies) return;
  throw new Ec2Error(
    'CopyVolumesLimitExceeded',
    `${copying.length} volume copies in progress, ${ofSource} of them of ${source.id}.`,
  );
}

function encryptionOf(region: Region, input: CopyVolumesRequest, source: SimVolume) {
  const encrypted = source.encrypted || input.Encrypted === true;
  if (input.KmsKeyId !== undefined && !encrypted) {
    throw new Ec2Error('InvalidParameterDependency', 'The parameter KmsKeyId requires the parameter Encrypted.');
  }
  const name = input.KmsKeyId ?? source.kmsKeyId ?? DEFAULT_KEY_ALIAS;
  return { encrypted, kmsKeyId: encrypted ? region.kmsKeys.shown(name) : null };
}

function copyOf(region: Region, call: Call, input: CopyVolumesRequest, source: SimVolume): SimVolume {
  const asked = { size: input.Size ?? source.sizeGiB, type: input.VolumeType, iops: input.Iops };
  const shape = volumeShape({ ...asked, throughput: input.Throughput }, null, 'InvalidParameterValue');
  if (shape.sizeGiB < source.sizeGiB) {
    throw new Ec2Error('InvalidParameterValue', `Size ${shape.sizeGiB} is smaller than the source's`);
  }
  const multiAttach = input.MultiAttachEnabled ?? false;
  requireMultiAttachable(multiAttach, shape.volumeType);
  const id = region.newId('vol');
  const wish = { type: 'volume-copy', volumeId: id, sizeGiB: source.sizeGiB, rateMiBps: undefined } as const;
  return {
    id,
    state: 'creating',
    az: source.az,
    ...shape,
    ...encryptionOf(region, input, source),
    multiAttach,
    snapshotId: null,
    sourceVolumeId: source.id,
    initialization: initializationOf(region, { ...wish, instant: call.instant }),
    ioEnabled: true,
    createdAtWallMs: region.wallMs(),
    attachments: [],
    lastSnapshotAtMs: null,
    cloudInitRanFor: source.cloudInitRanFor,
    busy: false,
    tags: tagsFor(input.TagSpecifications, 'volume'),
  };
}

/**
 * `CopyVolumes`: a copy of this moment in the same zone, idempotent by token. Without a type it is
 * a gp2, whatever the source is.
 */
export function copyVolumes(region: Region, call: Call, input: CopyVolumesRequest): CopyVolumesResult {
  const { ClientToken: token, DryRun: _dryRun, ...parameters } = input;
  const source = need(call, region.volumes, 'volume', input.SourceVolumeId);
  const scope = `CopyVolumes/${source.az}`;
  const known = knownVolume(region, scope, token, parameters);
  if (known) return { Volumes: [volumeView(known)] };
  region.requireZone(source.az);
  requireCopyable(region, source);
  requireVolumeRoom(region);
  const made = region.volumes.put(copyOf(region, call, input, source), region.nowMs, call.instant);
  if (token) region.tokens.record(scope, token, parameters, [made.id]);
  const codes = region.productCodes.get(source.snapshotId ?? source.id);
  if (codes) region.productCodes.set(made.id, codes);
  announceVolume(region, call, made);
  return { Volumes: [volumeView(made)] };
}
