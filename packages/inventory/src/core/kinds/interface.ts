import type { Kind } from './kind.ts';
import { byMember, neverEnds, pagedByEc2 } from './listings.ts';

export const networkInterface: Kind = {
  name: 'interface',
  listing: pagedByEc2('DescribeNetworkInterfaces', 'NetworkInterfaces'),
  scope: null,
  idOf: byMember('NetworkInterfaceId'),
  volatile: [],
  hasEnded: neverEnds,
};
