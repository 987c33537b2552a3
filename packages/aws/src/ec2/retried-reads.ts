import {
  backoffMs,
  type BucketLimit,
  type Clock,
  fullBucket,
  type MonotonicMs,
  type Random,
  refilledBucket,
  takeTokens,
  type TokenBucket,
} from '@understudy/shared';
import { mapEc2Error } from '../transport/map-error.ts';
import type { Ec2Transport } from '../transport/transport.ts';

/** Sendings of one read at most. With half of all calls failing, one read in 32 still fails. */
const SENDINGS_MAX = 5;
/**
 * A read is not repeated once it has taken this long, because its caller has a pace of its own.
 * This is less than one call without an answer may take.
 */
const WITHIN_MS = 4_000;
const BACKOFF = { baseMs: 100, capMs: 1_000 };

/** Questions that are remembered as broken. More than any fleet has chunks and zones. */
const BROKEN_MAX = 1_000;

/**
 * Budget of all repeated reads: a burst for a bad moment, a trickle while nothing works, and two
 * repeats for every read that works.
 */
export const READ_RETRIES: BucketLimit = { burst: 100, refillPerSecond: 1 };
const PER_SUCCESS = 2;

/**
 * The bucket after a read that worked. Up to two thirds of all calls may fail, and every read is
 * still repeated.
 */
export function earned(bucket: TokenBucket, nowMs: MonotonicMs): TokenBucket {
  const now = refilledBucket(bucket, READ_RETRIES, nowMs);
  return { ...now, tokens: Math.min(READ_RETRIES.burst, now.tokens + PER_SUCCESS) };
}

export interface RetriedReadsOptions {
  readonly clock: Clock;
  /** Source of the pauses' jitter. */
  readonly random: Random;
}

/**
 * Repeats single reads that fail in passing (no answer, 5xx, throttled), a few times and within
 * seconds. So what needs many reads (a plan, a step's looks, the further pages of a listing) does
 * not fail with each one. Reads are repeated only where it is asked for: a caller with a pace of
 * its own repeats by itself, and a zone that is lost must not cost a multiple of the calls.
 * Mutating calls go through once, untouched.
 *
 * Every sending takes its token from the buckets below. A budget that only successful reads fill up
 * bounds all repeats together, so that an outage is not answered with a multiple of the load. A
 * question whose repeats were all in vain is asked once at a time until it is answered again: what
 * stays broken, like a lost zone, costs no more than it would without repeats. The code is ours
 * because the libraries for it sleep on timers of their own.
 */
export function retriedReads(inner: Ec2Transport, { clock, random }: RetriedReadsOptions): Ec2Transport {
  let budget = fullBucket(READ_RETRIES, clock.monotonicMs());
  const mayRepeat = (action: string, error: unknown): boolean => {
    const { code, upstreamCode } = mapEc2Error(error, { action, mutating: false });
    // The call was not sent because the queue was full. Another one would only stand in it again.
    if ((code !== 'CLOUD_UNAVAILABLE' && code !== 'CLOUD_THROTTLED') || upstreamCode === 'NotSent') return false;
    const left = takeTokens(budget, READ_RETRIES, clock.monotonicMs());
    budget = left ?? budget;
    return left !== null;
  };
  const broken = new Set<string>();
  const remember = (question: string): void => {
    if (broken.size >= BROKEN_MAX) broken.clear();
    broken.add(question);
  };
  return async (action, input, options) => {
    const wanted = options?.repeat === true || input.NextToken !== undefined;
    if (options?.mutating !== false || !wanted) return inner(action, input, options);
    const startedAtMs = clock.monotonicMs();
    const question = `${action} ${JSON.stringify(input)}`;
    for (let sendings = 1; ; sendings += 1) {
      try {
        const answer = await inner(action, input, options);
        budget = earned(budget, clock.monotonicMs());
        broken.delete(question);
        return answer;
      } catch (error) {
        const over = sendings >= SENDINGS_MAX || clock.monotonicMs() - startedAtMs >= WITHIN_MS;
        if (over) remember(question);
        if (over || broken.has(question) || options.signal?.aborted || !mayRepeat(action, error)) throw error;
        await clock.sleep(backoffMs(sendings, BACKOFF, random.next()), options.signal);
      }
    }
  };
}
