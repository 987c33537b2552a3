import type { Clock, Cloud, Random } from '@understudy/shared';
import { BucketedTransport } from './bucketed-transport.ts';
import { Ec2Cloud } from './ec2-cloud.ts';
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
  /** Our share of EC2's own rate limits. Default 0.6. */
  readonly rateShare?: number;
}

/**
 * The whole stack: {@link Cloud} → single reads repeated → token buckets → time limit → transport.
 * One per process, shared by all callers.
 */
export function createEc2Cloud(options: Ec2CloudOptions): Cloud {
  const timed = timedTransport(options.transport, options.clock, options.callTimeoutMs);
  const share = options.rateShare === undefined ? {} : { share: options.rateShare };
  const { clock, random } = options;
  const bucketed = new BucketedTransport(timed, { clock, ...share }).send;
  return new Ec2Cloud(random ? retriedReads(bucketed, { clock, random }) : bucketed);
}
