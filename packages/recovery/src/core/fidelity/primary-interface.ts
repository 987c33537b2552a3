import {
  type CloudAddress,
  type CloudInstance,
  type CloudNetworkAttachment,
  type Raw,
  rawListOf,
  rawOf,
} from '@understudy/shared';

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

/**
 * Only an address on the primary private address of the primary interface moves to the replacement.
 */
export function isCarriedAddress(address: CloudAddress, instance: CloudInstance): boolean {
  const primary = primaryInterfaceOf(instance);
  return (
    primary !== null &&
    address.networkInterfaceId === primary.networkInterfaceId &&
    (address.privateIp === null || address.privateIp === primary.privateIp)
  );
}
