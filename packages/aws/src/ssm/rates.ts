import type { BucketLimit } from '@understudy/shared';
import type { CallRates, SharedBucket } from '../limiter/call-rates.ts';
import { SSM_ACTIONS } from './actions.ts';

/**
 * Systems Manager endpoints and quotas: 40 reads of parameters a second, all actions of reading
 * together, without higher throughput switched on (which is raised here by `GetParameter`).
 */
const PARAMETERS: BucketLimit = { burst: 40, refillPerSecond: 40 };
/**
 * For Run Command and the list of nodes we found no figure. These are ours, small beside what
 * others are known to send; hooks of a recovery make a few of them each, and the pace adapts.
 */
const COMMANDS: SharedBucket = { name: 'Run Command', limit: { burst: 20, refillPerSecond: 5 } };
const LOOKS: BucketLimit = { burst: 40, refillPerSecond: 10 };

const isChange = (action: string): boolean =>
  Object.entries(SSM_ACTIONS).some(([name, mutating]) => name === action && mutating);

/** The rates of an action. */
export function ssmCallRates(action: string): CallRates {
  const base = { resources: null, urgency: 'usual' } as const;
  if (action === 'GetParameter') return { ...base, requests: PARAMETERS, mutating: false };
  if (isChange(action)) return { ...base, requests: COMMANDS.limit, shared: [COMMANDS], mutating: true };
  return { ...base, requests: LOOKS, mutating: false };
}
