import { type BucketLimit, type Raw, rawListOf, rawOf } from '@understudy/shared';
import { type CallRates, type OneAtATime, type SharedBucket } from '../limiter/call-rates.ts';

/** Route 53 Developer Guide, throttling of API requests: each action by itself, and all of them. */
const REQUESTS: BucketLimit = { burst: 50, refillPerSecond: 10 };
const ACCOUNT: SharedBucket = { name: 'Route 53', limit: REQUESTS };
/** The same page, change throughput: CREATE and DELETE cost 1, UPSERT costs 2. */
const CHANGES: BucketLimit = { burst: 1_500, refillPerSecond: 100 };

const priceOf = (input: Raw): number =>
  rawListOf(rawOf(input.ChangeBatch).Changes).reduce((sum, one) => sum + (one.Action === 'UPSERT' ? 2 : 1), 0);

/**
 * A hosted zone takes one change at a time, and refuses the next with PriorRequestNotComplete until
 * it is through with it. How long that takes is not documented.
 */
const ONE_OF_A_ZONE: OneAtATime = {
  laneOf: ({ HostedZoneId }) => String(HostedZoneId),
  gapMs: 600,
  busyCode: 'PriorRequestNotComplete',
};

const FACTS = { requests: REQUESTS, shared: [ACCOUNT], urgency: 'usual' } as const;

/** The documented rates of an action. Route 53 is global: one bucket an account, in all Regions. */
export function route53CallRates(action: string): CallRates {
  if (action !== 'ChangeResourceRecordSets') return { ...FACTS, resources: null, mutating: false };
  return { ...FACTS, resources: CHANGES, priceOf, oneAtATime: ONE_OF_A_ZONE, mutating: true };
}
