import { type Raw, rawOf, textOf } from '@understudy/shared';
import type { Kind } from './kind.ts';
import { neverEnds } from './listings.ts';

/** One that was taken out of its group is listed until its connections have drained. */
const isTakenOut = (row: Raw): boolean => textOf(rawOf(row.TargetHealth).State) === 'draining';

/**
 * Who is registered in a target group, from its registration to its deregistration. It has no id of
 * its own: group, target and port name it. How healthy it is changes by itself.
 */
export const target: Kind = {
  name: 'target',
  listing: {
    ...{ service: 'elbv2', action: 'DescribeTargetHealth', rows: 'TargetHealthDescriptions', input: {} },
    ...{ paging: 'none', size: null },
  },
  scope: 'target-group',
  idOf: (row, group) => {
    const { Id, Port } = rawOf(row.Target);
    const id = textOf(Id);
    return id === null || isTakenOut(row) ? null : `${group}/${id}:${typeof Port === 'number' ? Port : ''}`;
  },
  volatile: [['TargetHealth'], ['AnomalyDetection']],
  hasEnded: neverEnds,
};
