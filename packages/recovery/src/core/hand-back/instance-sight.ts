import { numberOf, type Raw, rawListOf, rawOf, tagsOf, textOf } from '@understudy/shared';

/** A disk or an interface of an instance, as EC2 names it. */
export interface SeenPart {
  readonly id: string;
  /** Device name, or device index. */
  readonly place: string;
  readonly attachmentId: string | null;
}

/** An instance as far as a hand-back asks, from EC2's answer or from the inventory's document. */
export interface InstanceSight {
  readonly instanceId: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly volumes: readonly SeenPart[];
  readonly interfaces: readonly SeenPart[];
  readonly raw: Raw;
}

/** EC2's list of tags, or the inventory's object of them. */
function tagsIn(value: unknown): Record<string, string> {
  if (Array.isArray(value)) return tagsOf(value);
  return Object.fromEntries(Object.entries(rawOf(value)).map(([key, one]) => [key, textOf(one) ?? '']));
}

/** Null: it is no instance. */
export function instanceSight(raw: Raw): InstanceSight | null {
  const instanceId = textOf(raw.InstanceId);
  if (instanceId === null) return null;
  const volumes = rawListOf(raw.BlockDeviceMappings).flatMap((one): SeenPart[] => {
    const id = textOf(rawOf(one.Ebs).VolumeId);
    const place = textOf(one.DeviceName);
    return id === null || place === null ? [] : [{ id, place, attachmentId: null }];
  });
  const interfaces = rawListOf(raw.NetworkInterfaces).flatMap((one): SeenPart[] => {
    const id = textOf(one.NetworkInterfaceId);
    const { AttachmentId, DeviceIndex } = rawOf(one.Attachment);
    const place = String(numberOf(DeviceIndex) ?? 0);
    return id === null ? [] : [{ id, place, attachmentId: textOf(AttachmentId) }];
  });
  return { instanceId, tags: tagsIn(raw.Tags), volumes, interfaces, raw };
}
