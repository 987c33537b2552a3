import type { BucketLimit } from '@understudy/shared';
import type { CallRates } from '../limiter/call-rates.ts';

/**
 * EventBridge quotas: requests of `PutEvents` a second, per account and Region, the least that any
 * Region allows; all other actions 50 a second (quota "Throttle limit in transactions per second").
 * Bursts are not documented: a second's worth.
 */
const PER_SECOND: Readonly<Record<string, number>> = { PutEvents: 400, DescribeEventBus: 50 };

const limitOf = (perSecond: number): BucketLimit => ({ burst: perSecond, refillPerSecond: perSecond });

/** The rates of an action. News makes nothing wait that is not news. */
export const eventBridgeCallRates = (action: string): CallRates => ({
  ...{ requests: limitOf(PER_SECOND[action] ?? 50), resources: null },
  ...{ urgency: 'chore', mutating: action === 'PutEvents' },
});
