import type { Kind } from './kind.ts';
import { byMember, neverEnds } from './listings.ts';

/** A target group as it is set up. Who is registered in it is a kind of its own. */
export const targetGroup: Kind = {
  name: 'target-group',
  listing: {
    ...{ service: 'elbv2', action: 'DescribeTargetGroups', rows: 'TargetGroups', input: {}, paging: 'marker' },
    size: { member: 'PageSize', value: 100 },
  },
  scope: null,
  idOf: byMember('TargetGroupArn'),
  volatile: [],
  hasEnded: neverEnds,
};
