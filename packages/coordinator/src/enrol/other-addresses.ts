import { type CloudInstance, rawListOf, rawOf, textOf } from '@understudy/shared';

/** Addresses kept of an instance. It can have hundreds, and the record stays small. */
const KEPT_MAX = 256;

/**
 * Every address of an instance beside its primary private one, in a fixed order: private, public
 * and IPv6, of all interfaces.
 */
export function otherAddressesOf({ raw, privateIp, publicIp }: CloudInstance): readonly string[] {
  const all = rawListOf(raw.NetworkInterfaces).flatMap((eni) => [
    ...rawListOf(eni.PrivateIpAddresses).flatMap((one) => [
      textOf(one.PrivateIpAddress),
      textOf(rawOf(one.Association).PublicIp),
    ]),
    ...rawListOf(eni.Ipv6Addresses).map((one) => textOf(one.Ipv6Address)),
  ]);
  const texts = [publicIp, ...all].flatMap((one) => (one === null || one === privateIp ? [] : [one]));
  return [...new Set(texts)].toSorted().slice(0, KEPT_MAX);
}
