import type { BucketLimit } from '@understudy/shared';
import type { CallRates } from '../limiter/call-rates.ts';

/**
 * SNS endpoints and quotas: calls a second, per account and Region, by action. Of `Publish` the
 * least that any Region allows; FIFO topics take as many. Bursts are not documented: a second's
 * worth.
 */
const PER_SECOND: Readonly<Record<string, number>> = { Publish: 300, GetTopicAttributes: 30 };

const limitOf = (perSecond: number): BucketLimit => ({ burst: perSecond, refillPerSecond: perSecond });

/** The documented rates of an action. News makes nothing wait that is not news. */
export const snsCallRates = (action: string): CallRates => ({
  ...{ requests: limitOf(PER_SECOND[action] ?? 30), resources: null },
  ...{ urgency: 'chore', mutating: action === 'Publish' },
});
