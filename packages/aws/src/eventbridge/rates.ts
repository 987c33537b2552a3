import type { BucketLimit } from '@understudy/shared';
import type { CallRates } from '../limiter/call-rates.ts';

/**
 * EventBridge quotas: requests of `PutEvents` a second, per account and Region, the least that any
 * Region allows. For `DescribeEventBus` none is documented: a bus is looked at before each event,
 * so a tenth of it is used, which is more than there is news.
 */
const PER_SECOND: Readonly<Record<string, number>> = { PutEvents: 400, DescribeEventBus: 40 };

const limitOf = (perSecond: number): BucketLimit => ({ burst: perSecond, refillPerSecond: perSecond });

/** The rates of an action. News makes nothing wait that is not news. */
export const eventBridgeCallRates = (action: string): CallRates => ({
  ...{ requests: limitOf(PER_SECOND[action] ?? 40), resources: null },
  ...{ urgency: 'chore', mutating: action === 'PutEvents' },
});
