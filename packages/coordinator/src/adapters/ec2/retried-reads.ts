import type { Clock, Random } from '@understudy/shared';
import { backoffDelayMs } from '../../core/recovery/pacing.ts';
import { earned, READ_RETRIES } from '../../core/recovery/retry-budget.ts';
import { fullBucket, taken } from '../../core/recovery/token-bucket.ts';
import { mapEc2Error } from './map-error.ts';
import type { Ec2Transport } from './transport.ts';

/** Sendings of one read at most. With half of all calls failing, one read in 32 still fails. */
const SENDINGS_MAX = 5;
/** A read is not repeated once it has taken so long: what waits for it has its own pace. Less than one call that is not answered may take. */
const WITHIN_MS = 4_000;
const BASE_MS = 100;
const CAP_MS = 1_000;

export interface RetriedReadsOptions {
  readonly clock: Clock;
  /** Jitter of the pauses. */
  readonly random: Random;
}

/**
 * Repeats single reads that fail in passing (no answer, 5xx, throttled), a few times and within seconds, so that what takes many of them (a plan, a listing
 * of many pages) does not fail with each one. Mutating calls go through once, untouched. Every sending takes its token from the buckets below, and all
 * repeats together are bounded by a budget that only reads that work fill up, so that an outage is not answered with a multiple of the load.
 * Ours, because the libraries for it sleep on timers of their own.
 */
export function retriedReads(inner: Ec2Transport, { clock, random }: RetriedReadsOptions): Ec2Transport {
  let budget = fullBucket(READ_RETRIES, clock.monotonicMs());
  const mayRepeat = (action: string, error: unknown): boolean => {
    const { code, upstreamCode } = mapEc2Error(error, { action, mutating: false });
    // Not sent for want of a place in the queue: another one would only stand in it again.
    if ((code !== 'CLOUD_UNAVAILABLE' && code !== 'CLOUD_THROTTLED') || upstreamCode === 'NotSent') return false;
    const left = taken(budget, READ_RETRIES, clock.monotonicMs());
    budget = left ?? budget;
    return left !== null;
  };
  return async (action, input, options) => {
    if (options?.mutating !== false) return inner(action, input, options);
    const startedAtMs = clock.monotonicMs();
    for (let sendings = 1; ; sendings += 1) {
      try {
        const answer = await inner(action, input, options);
        budget = earned(budget, clock.monotonicMs());
        return answer;
      } catch (error) {
        const over = sendings >= SENDINGS_MAX || clock.monotonicMs() - startedAtMs >= WITHIN_MS;
        if (over || options.signal?.aborted || !mayRepeat(action, error)) throw error;
        await clock.sleep(backoffDelayMs(sendings, BASE_MS, CAP_MS, random.next()), options.signal);
      }
    }
  };
}
