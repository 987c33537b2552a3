import type { Kind } from './kind.ts';
import { byMember, neverEnds, pagedByEc2 } from './listings.ts';

export const subnet: Kind = {
  name: 'subnet',
  listing: pagedByEc2('DescribeSubnets', 'Subnets'),
  scope: null,
  idOf: byMember('SubnetId'),
  volatile: [['AvailableIpAddressCount']],
  hasEnded: neverEnds,
};
