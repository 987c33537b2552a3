import type { Kind } from './kind.ts';
import { byMember, neverEnds } from './listings.ts';

/** An Elastic IP address. EC2 gives them in one page. */
export const address: Kind = {
  name: 'address',
  listing: { service: 'ec2', action: 'DescribeAddresses', rows: 'Addresses', input: {}, paging: 'none', size: null },
  scope: null,
  idOf: byMember('AllocationId'),
  volatile: [],
  hasEnded: neverEnds,
};
