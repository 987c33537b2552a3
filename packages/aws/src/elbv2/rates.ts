import type { CallRates, SharedBucket } from '../limiter/call-rates.ts';

/**
 * Elastic Load Balancing User Guide, request throttling for the API: actions of one category draw
 * from one bucket, and all of version 2 of the API from another one, per account and Region.
 */
const ACCOUNT: SharedBucket = { name: 'Elastic Load Balancing', limit: { burst: 40, refillPerSecond: 10 } };
const REGISTRATIONS: SharedBucket = { name: 'registrations of targets', limit: { burst: 20, refillPerSecond: 4 } };

const read: CallRates = {
  ...{ requests: ACCOUNT.limit, shared: [ACCOUNT], resources: null },
  ...{ urgency: 'usual', mutating: false },
};
const registration: CallRates = {
  ...{ requests: REGISTRATIONS.limit, shared: [ACCOUNT, REGISTRATIONS], resources: null },
  ...{ urgency: 'usual', mutating: true },
};

/** The documented rates of an action. */
export const elbv2CallRates = (action: string): CallRates =>
  action === 'RegisterTargets' || action === 'DeregisterTargets' ? registration : read;
