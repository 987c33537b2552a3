import { isObject } from '../document.ts';
import type { Kind } from './kind.ts';
import { byMember, pagedByEc2 } from './listings.ts';

/** Every state is asked for: a call without any filter counts against a smaller bucket. */
const ANY_STATE = [
  {
    Name: 'instance-state-name',
    Values: ['pending', 'running', 'stopping', 'stopped', 'shutting-down', 'terminated'],
  },
];

export const instance: Kind = {
  name: 'instance',
  listing: { ...pagedByEc2('DescribeInstances', 'Reservations', { Filters: ANY_STATE }), within: 'Instances' },
  scope: null,
  idOf: byMember('InstanceId'),
  volatile: [['StateTransitionReason'], ['UsageOperationUpdateTime']],
  hasEnded: ({ State }) => isObject(State) && State.Name === 'terminated',
};
