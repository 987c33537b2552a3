import type { Volume, VolumeAttachment } from '@aws-sdk/client-ec2';
import { tagList } from '../filters.ts';
import type { SimVolume, SimVolumeAttachment } from '../model.ts';
import { date } from './common.ts';

export const attachmentView = (volumeId: string, one: SimVolumeAttachment): VolumeAttachment => ({
  VolumeId: volumeId,
  InstanceId: one.instanceId,
  Device: one.device,
  State: one.state,
  AttachTime: date(one.attachedAtWallMs),
  DeleteOnTermination: one.deleteOnTermination,
});

export const volumeView = (one: SimVolume): Volume => ({
  VolumeId: one.id,
  State: one.state,
  AvailabilityZone: one.az,
  Size: one.sizeGiB,
  VolumeType: one.volumeType,
  Iops: one.iops ?? undefined,
  Throughput: one.throughput ?? undefined,
  Encrypted: one.encrypted,
  KmsKeyId: one.kmsKeyId ?? undefined,
  MultiAttachEnabled: one.multiAttach,
  SnapshotId: one.snapshotId ?? '',
  SourceVolumeId: one.sourceVolumeId ?? undefined,
  VolumeInitializationRate: one.initialization?.rateMiBps ?? undefined,
  CreateTime: date(one.createdAtWallMs),
  Attachments: one.attachments.map((attachment) => attachmentView(one.id, attachment)),
  Tags: tagList(one.tags),
});
