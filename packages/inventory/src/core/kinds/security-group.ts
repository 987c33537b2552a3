import type { Kind } from './kind.ts';
import { byMember, neverEnds, pagedByEc2 } from './listings.ts';

export const securityGroup: Kind = {
  name: 'security-group',
  listing: pagedByEc2('DescribeSecurityGroups', 'SecurityGroups'),
  scope: null,
  idOf: byMember('GroupId'),
  volatile: [],
  hasEnded: neverEnds,
};
