import type { BucketLimit } from '@understudy/shared';
import type { CallRates } from '../limiter/call-rates.ts';

/**
 * SQS Developer Guide, message quotas: standard queues take a nearly unlimited number of calls to
 * send, receive and delete, and a partition of a FIFO queue 300 a second of each action. So 300 is
 * the least that is documented. `GetQueueAttributes` has no figure.
 */
const PER_SECOND: Readonly<Record<string, number>> = {
  ...{ ReceiveMessage: 300, DeleteMessage: 300, ChangeMessageVisibility: 300 },
  GetQueueAttributes: 30,
};

const limitOf = (perSecond: number): BucketLimit => ({ burst: perSecond, refillPerSecond: perSecond });

/** The rates of an action. A hint makes nothing wait that is none. */
export const sqsCallRates = (action: string): CallRates => ({
  ...{ requests: limitOf(PER_SECOND[action] ?? 30), resources: null },
  ...{ urgency: 'chore', mutating: action === 'DeleteMessage' || action === 'ChangeMessageVisibility' },
});
