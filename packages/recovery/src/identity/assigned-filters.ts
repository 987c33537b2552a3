import type { AssignedKind } from '@understudy/shared';

/** What EC2 can be asked by who has an address; it has no filter for prefixes. */
export const ASSIGNED_FILTERS: Readonly<Partial<Record<AssignedKind, string>>> = {
  'secondary-ip': 'addresses.private-ip-address',
  'ipv6-address': 'ipv6-addresses.ipv6-address',
};
