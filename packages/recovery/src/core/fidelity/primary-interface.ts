import { type CloudInstance, type CloudNetworkAttachment, type Raw, rawListOf, rawOf } from '@understudy/shared';

/**
 * Device index 0 of network card 0: each card counts its own. null when the instance shows none.
 */
export const primaryInterfaceOf = (instance: CloudInstance): CloudNetworkAttachment | null =>
  instance.networkInterfaces.find((one) => one.deviceIndex === 0 && one.networkCardIndex === 0) ?? null;

/** The primary interface as EC2 shows it inside the instance. */
export const rawPrimaryInterfaceOf = (instance: CloudInstance): Raw =>
  rawListOf(instance.raw.NetworkInterfaces).find(({ Attachment }) => {
    const { DeviceIndex, NetworkCardIndex } = rawOf(Attachment);
    return DeviceIndex === 0 && (NetworkCardIndex ?? 0) === 0;
  }) ?? {};
