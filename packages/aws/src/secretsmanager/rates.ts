import type { CallRates } from '../limiter/call-rates.ts';

/**
 * AWS Secrets Manager quotas: `GetSecretValue` and `DescribeSecret` together 10 000 a second, per
 * account and Region, by the account that asks. Bursts are not documented: a second's worth.
 */
const REQUESTS = { burst: 10_000, refillPerSecond: 10_000 } as const;

/** The rates of any action: there is one. */
export const secretsManagerCallRates = (): CallRates => ({
  ...{ requests: REQUESTS, resources: null, urgency: 'usual', mutating: false },
});
