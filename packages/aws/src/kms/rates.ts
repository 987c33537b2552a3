import type { CallRates } from '../limiter/call-rates.ts';

/**
 * AWS KMS Developer Guide, request quotas: `DescribeKey` 2 000 a second, per account and Region.
 * Bursts are not documented: a second's worth.
 */
const REQUESTS = { burst: 2_000, refillPerSecond: 2_000 } as const;

/** The rates of any action: there is one. A plan asks it. */
export const kmsCallRates = (): CallRates => ({
  ...{ requests: REQUESTS, resources: null, urgency: 'usual', mutating: false },
});
