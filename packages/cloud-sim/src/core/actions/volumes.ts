import type {
  AttachVolumeRequest,
  CreateVolumeRequest,
  DeleteVolumeRequest,
  DescribeVolumesRequest,
  DescribeVolumesResult,
  DetachVolumeRequest,
  Volume,
  VolumeAttachment,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable } from '../filters.ts';
import { checkRate, initializationOf } from '../initialization.ts';
import { INSTANCE_TYPES } from '../instance-types.ts';
import { DEFAULT_KEY_ALIAS } from '../kms/keys.ts';
import { look, need, requireHealthyZones } from '../lookup.ts';
import type { SimInstance, SimVolume, SimVolumeAttachment } from '../model.ts';
import { page } from '../pages.ts';
import { tagsFor } from '../tags.ts';
import { type Call, faultOf, type Region } from '../region.ts';
import { checkAttachments } from './attachment-limits.ts';
import { setAttachments } from './common.ts';
import { requireCompleted, volumeShape } from './launch-disks.ts';
import { releaseVolume } from './lifecycle.ts';
import { announceVolume, knownVolume, requireMultiAttachable, requireVolumeRoom } from './new-volume.ts';
import { attachmentView, volumeView } from './volume-views.ts';

const MULTI_ATTACH_MAX = 16;
/** Duration at speed 1, in ms. */
const STUCK_MS = 600_000;

const VOLUME_FILTERS: FilterTable<SimVolume> = {
  'volume-id': (one) => [one.id],
  status: (one) => [one.state],
  'availability-zone': (one) => [one.az],
  size: (one) => [String(one.sizeGiB)],
  'snapshot-id': (one) => [one.snapshotId],
  'volume-type': (one) => [one.volumeType],
  encrypted: (one) => [String(one.encrypted)],
  'attachment.instance-id': (one) => one.attachments.map((a) => a.instanceId),
  'attachment.device': (one) => one.attachments.map((a) => a.device),
  'attachment.status': (one) => one.attachments.map((a) => a.state),
  'attachment.delete-on-termination': (one) => one.attachments.map((a) => String(a.deleteOnTermination)),
};

export function describeVolumes(region: Region, call: Call, input: DescribeVolumesRequest): DescribeVolumesResult {
  const found = look(call, region.volumes, 'volume', input.VolumeIds);
  requireHealthyZones(region, (input.VolumeIds?.length ?? 0) > 0, found);
  const matching = applyFilters(found, input.Filters, VOLUME_FILTERS);
  const limits = { min: 5, max: 1_000, unpaginated: 1_000 };
  const { items, nextToken } = page('DescribeVolumes', matching, input, limits, input.VolumeIds);
  return { Volumes: items.map(volumeView), NextToken: nextToken };
}

function newVolume(region: Region, call: Call, input: CreateVolumeRequest, az: string): SimVolume {
  const snapshot = input.SnapshotId
    ? requireCompleted(need(call, region.snapshots, 'snapshot', input.SnapshotId))
    : null;
  const asked = { size: input.Size, type: input.VolumeType, iops: input.Iops, throughput: input.Throughput };
  const shape = volumeShape(asked, snapshot, 'InvalidParameterValue');
  const encrypted = input.Encrypted ?? snapshot?.encrypted ?? false;
  const rateMiBps = input.VolumeInitializationRate;
  checkRate(region, rateMiBps, snapshot !== null);
  requireMultiAttachable(input.MultiAttachEnabled ?? false, shape.volumeType);
  const id = region.newId('vol');
  const source = { id: snapshot?.id ?? null, az };
  const wish = { type: 'default', volumeId: id, sizeGiB: shape.sizeGiB, rateMiBps, snapshot: source } as const;
  return {
    id,
    state: 'creating',
    az,
    ...shape,
    encrypted,
    kmsKeyId: encrypted ? region.kmsKeys.shown(input.KmsKeyId ?? snapshot?.kmsKeyId ?? DEFAULT_KEY_ALIAS) : null,
    multiAttach: input.MultiAttachEnabled ?? false,
    snapshotId: snapshot?.id ?? null,
    sourceVolumeId: null,
    initialization: snapshot ? initializationOf(region, { ...wish, instant: call.instant }) : null,
    ioEnabled: true,
    createdAtWallMs: region.wallMs(),
    attachments: [],
    lastSnapshotAtMs: null,
    cloudInitRanFor: snapshot?.cloudInitRanFor ?? null,
    busy: false,
    tags: tagsFor(input.TagSpecifications, 'volume'),
  };
}

/**
 * `CreateVolume`, idempotent by token.
 * @throws VolumeLimitExceeded, IncorrectState (snapshot not completed)
 */
export function createVolume(region: Region, call: Call, input: CreateVolumeRequest): Volume {
  const { ClientToken: token, DryRun: _dryRun, ...parameters } = input;
  const az = input.AvailabilityZone;
  if (az === undefined || !region.zones.includes(az)) {
    throw new Ec2Error('InvalidParameterValue', `Invalid availability zone: [${String(az)}]`);
  }
  const known = knownVolume(region, `CreateVolume/${az}`, token, parameters);
  if (known) return volumeView(known);
  region.requireZone(az);
  requireVolumeRoom(region);
  const made = region.volumes.put(newVolume(region, call, input, az), region.nowMs, call.instant);
  if (token) region.tokens.record(`CreateVolume/${az}`, token, parameters, [made.id]);
  announceVolume(region, call, made);
  return volumeView(made);
}

export function deleteVolume(region: Region, call: Call, input: DeleteVolumeRequest): object {
  const volume = need(call, region.volumes, 'volume', input.VolumeId);
  region.requireZone(volume.az);
  if (volume.attachments.length > 0) {
    const { instanceId } = volume.attachments[0] ?? { instanceId: '' };
    throw new Ec2Error('VolumeInUse', `Volume ${volume.id} is currently attached to ${instanceId}`);
  }
  if (volume.state === 'deleting') return {};
  region.volumes.update(volume.id, { state: 'deleting' }, region.nowMs);
  region.transition('volume', volume.id, volume.state, 'deleting');
  region.later(call, 'volume.delete', (_at, tookMs) => {
    region.volumes.remove(volume.id, region.nowMs);
    region.transition('volume', volume.id, 'deleting', null, tookMs);
  });
  return {};
}

/**
 * A Multi-Attach volume takes up to 16 Nitro instances, none of them as its root (EBS user guide,
 * Multi-Attach).
 */
function requireFurther(volume: SimVolume, instance: SimInstance, device: string): void {
  if (volume.attachments.some((one) => one.instanceId === instance.id)) {
    throw new Ec2Error('VolumeInUse', `${volume.id} is already attached to ${instance.id}`);
  }
  if (volume.attachments.length >= MULTI_ATTACH_MAX) {
    throw new Ec2Error('AttachmentLimitExceeded', `${volume.id} is attached to ${MULTI_ATTACH_MAX} instances`);
  }
  if (INSTANCE_TYPES.get(instance.instanceType)?.hypervisor !== 'nitro' || device === instance.rootDeviceName) {
    throw new Ec2Error('UnsupportedOperation', `A Multi-Attach volume fits a Nitro instance, and not as its root`);
  }
}

/** @throws VolumeInUse, IncorrectState */
function requireFree(volume: SimVolume, instance: SimInstance, device: string): void {
  if (volume.multiAttach) requireFurther(volume, instance, device);
  else if (volume.attachments.length > 0) {
    throw new Ec2Error('VolumeInUse', `${volume.id} is already attached to an instance`);
  }
  if (volume.state === 'available' || (volume.multiAttach && volume.state === 'in-use')) return;
  throw new Ec2Error('IncorrectState', `Volume '${volume.id}' is in state '${volume.state}', want 'available'.`);
}

/** @throws InvalidParameterValue, AttachmentLimitExceeded */
function requirePlace(region: Region, instance: SimInstance, device: string): void {
  const taken = instance.volumeIds.some((id) =>
    region.volumes.get(id)?.attachments.some((a) => a.instanceId === instance.id && a.device === device),
  );
  if (taken) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
    );
  }
  const type = INSTANCE_TYPES.get(instance.instanceType);
  if (type) checkAttachments(type, instance.volumeIds.length + 1, instance.networkInterfaceIds.length);
}

function requireAttachable(region: Region, volume: SimVolume, instance: SimInstance, device: string): void {
  requireFree(volume, instance, device);
  if (volume.az !== instance.az) {
    throw new Ec2Error(
      'InvalidVolume.ZoneMismatch',
      `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`,
    );
  }
  if (instance.state !== 'running' && instance.state !== 'stopped') {
    throw new Ec2Error('IncorrectState', `Instance '${instance.id}' is not 'running' or 'stopped': ${instance.state}`);
  }
  const codes = region.productCodes.get(volume.snapshotId ?? volume.id) ?? [];
  if (instance.state === 'running' && codes.length > 0) {
    throw new Ec2Error('IncorrectState', `A volume with a Marketplace code fits a stopped instance only.`);
  }
  requirePlace(region, instance, device);
}

/** `AttachVolume`. A key that cannot be used undoes it. */
export function attachVolume(region: Region, call: Call, input: AttachVolumeRequest): VolumeAttachment {
  const volume = need(call, region.volumes, 'volume', input.VolumeId);
  const instance = need(call, region.instances, 'instance', input.InstanceId);
  region.requireZone(volume.az);
  const device = input.Device ?? '';
  if (device === '') throw new Ec2Error('MissingParameter', 'The request must contain the parameter device');
  requireAttachable(region, volume, instance, device);
  const attachment: SimVolumeAttachment = {
    instanceId: instance.id,
    device,
    state: 'attaching',
    attachedAtWallMs: region.wallMs(),
    deleteOnTermination: false,
  };
  setAttachments(region, volume, [...volume.attachments, attachment]);
  region.instances.update(instance.id, { volumeIds: [...instance.volumeIds, volume.id] }, region.nowMs);
  region.later(call, 'volume.attach', () => {
    const now = region.volumes.get(volume.id);
    if (now && region.kmsKeys.fault(now.kmsKeyId) !== null) return releaseVolume(region, volume.id, instance.id, null);
    const attachments = now?.attachments.map((one) =>
      one.instanceId === instance.id && one.state === 'attaching' ? { ...one, state: 'attached' as const } : one,
    );
    if (attachments) region.volumes.update(volume.id, { attachments }, region.nowMs, call.instant);
  });
  return attachmentView(volume.id, attachment);
}

function attachmentToDetach(region: Region, volume: SimVolume, input: DetachVolumeRequest): SimVolumeAttachment {
  if (volume.multiAttach && input.InstanceId === undefined) {
    throw new Ec2Error('MissingParameter', 'A Multi-Attach volume is detached from a named instance');
  }
  const attachment = volume.attachments.find(
    (one) =>
      (input.InstanceId === undefined || one.instanceId === input.InstanceId) &&
      (input.Device === undefined || one.device === input.Device),
  );
  if (!attachment) {
    const code = volume.attachments.length === 0 ? 'IncorrectState' : 'InvalidAttachment.NotFound';
    throw new Ec2Error(code, `Volume '${volume.id}' is in the '${volume.state}' state, or not attached there.`);
  }
  const instance = region.instances.get(attachment.instanceId);
  if (instance && attachment.device === instance.rootDeviceName && instance.state !== 'stopped') {
    throw new Ec2Error('OperationNotPermitted', `Unable to detach root volume '${volume.id}' from '${instance.id}'`);
  }
  return attachment;
}

function finishDetach(region: Region, volumeId: string, instanceId: string, tookMs: number): void {
  const still = region.volumes.get(volumeId)?.attachments.find((one) => one.instanceId === instanceId);
  if (still?.state === 'detaching') releaseVolume(region, volumeId, instanceId, tookMs);
}

/**
 * `DetachVolume`. A volume that the guest keeps open stays `busy` until forced, or until its
 * instance stops.
 */
export function detachVolume(region: Region, call: Call, input: DetachVolumeRequest): VolumeAttachment {
  const volume = need(call, region.volumes, 'volume', input.VolumeId);
  region.requireZone(volume.az);
  const attachment = attachmentToDetach(region, volume, input);
  const running = region.instances.get(attachment.instanceId)?.state === 'running';
  const stuck = running && !input.Force && (attachment.state === 'busy' || faultOf(call, 'busy-detach') !== undefined);
  const state = stuck ? ('busy' as const) : ('detaching' as const);
  const changed = { ...attachment, state };
  const attachments = volume.attachments.map((one) => (one === attachment ? changed : one));
  region.volumes.update(volume.id, { attachments }, region.nowMs, call.instant);
  if (!stuck && attachment.state !== 'detaching') {
    const release = (_at: number, tookMs: number) => finishDetach(region, volume.id, attachment.instanceId, tookMs);
    const hanging = faultOf(call, 'stuck-detach');
    if (hanging) region.laterIn(hanging.delayMs ?? STUCK_MS / region.latency.speed, release);
    else region.later(call, 'volume.detach', release);
  }
  return attachmentView(volume.id, changed);
}
