import { Ec2Error } from '../ec2-error.ts';
import type { SimInstanceType } from '../instance-types.ts';

/**
 * Counts attachments. On Nitro, interfaces and instance store disks take places of the volumes.
 * @throws AttachmentLimitExceeded
 */
export function checkAttachments(type: SimInstanceType, disks: number, interfaces: number): void {
  const shared = type.hypervisor === 'nitro' ? interfaces + type.instanceStoreDisks : 0;
  if (disks + shared <= type.attachmentsMax) return;
  throw new Ec2Error(
    'AttachmentLimitExceeded',
    `${type.name} takes ${type.attachmentsMax} attachments, asked for ${disks + shared}`,
  );
}
