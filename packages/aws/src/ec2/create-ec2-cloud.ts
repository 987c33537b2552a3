import type { Clock, Cloud, Random } from '@understudy/shared';
import { answeredByRows, type RecentRows } from '../batching/recent-rows.ts';
import { CallLimiter, type CallLimiterOptions } from '../limiter/call-limiter.ts';
import { ec2CallRates } from './actions.ts';
import { SharedEc2Cloud } from './shared-ec2-cloud.ts';
import { retriedReads } from './retried-reads.ts';
import { timedTransport } from '../transport/timed-transport.ts';
import type { Ec2Transport } from '../transport/transport.ts';

export interface Ec2CloudOptions {
  readonly transport: Ec2Transport;
  readonly clock: Clock;
  /** Random pauses before a read is repeated. Absent: every call is sent once. */
  readonly random?: Random;
  /** Time from sending to giving up. It counts only once the call has its token. */
  readonly callTimeoutMs: number;
  /** Our share of EC2's own rate limits, where no `limiter` is given. Default 0.6. */
  readonly rateShare?: number;
  /** What all calls of this account and Region wait at. Default: one of its own. */
  readonly limiter?: CallLimiter;
  /** **S** What a crawl saw lately is not asked again. Absent: everything is. */
  readonly recent?: RecentRows;
}

/** The limiter of one account and Region, by the documented rates. */
const ec2Limiter = (options: Omit<CallLimiterOptions, 'ratesOf' | 'service'>): CallLimiter =>
  new CallLimiter({ ...options, service: 'EC2', ratesOf: ec2CallRates });

/**
 * The whole stack: {@link Cloud} → reads put together → single reads repeated → token buckets
 * → time limit → transport. One per process, shared by all callers.
 */
export function createEc2Cloud(options: Ec2CloudOptions): Cloud {
  const timed = timedTransport(options.transport, options.clock, options.callTimeoutMs);
  const share = options.rateShare === undefined ? {} : { share: options.rateShare };
  const { clock, random, limiter = ec2Limiter({ clock, ...share }) } = options;
  const limited = limiter.limited(timed);
  const asked = random ? retriedReads(limited, { clock, random }) : limited;
  return new SharedEc2Cloud(options.recent ? answeredByRows(asked, options.recent) : asked, clock);
}
