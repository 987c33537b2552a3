import {
  type BucketLimit,
  emptyBucket,
  fullBucket,
  msUntilTokens,
  refilledBucket,
  shareOfLimit,
  takeTokens,
  type TokenBucket,
} from '@understudy/shared';
import type { CallRates } from './call-rates.ts';
import { FULL_PACE, paceAt, type Pace, throttledPace } from './pace.ts';

/**
 * Our share of what EC2 allows of one action: a bucket of calls and, where EC2 has one, a bucket of
 * instances. A call needs both. A throttle empties the first and slows both down for a while.
 */
export class ActionBucket {
  readonly #requestLimit: BucketLimit;
  readonly #resourceLimit: BucketLimit | null;
  #requests: TokenBucket;
  #resources: TokenBucket | null;
  #pace: Pace = FULL_PACE;
  #throttled = 0;

  constructor(rates: Pick<CallRates, 'requests' | 'resources'>, share: number, nowMs: number) {
    this.#requestLimit = shareOfLimit(rates.requests, share);
    this.#resourceLimit = rates.resources && shareOfLimit(rates.resources, share);
    this.#requests = fullBucket(this.#requestLimit, nowMs);
    this.#resources = this.#resourceLimit && fullBucket(this.#resourceLimit, nowMs);
  }

  /** Throttle answers since the start. */
  get throttledCount(): number {
    return this.#throttled;
  }

  /** Calls that could be sent at once. */
  tokens(nowMs: number): number {
    return refilledBucket(this.#requests, this.#paced(this.#requestLimit, nowMs), nowMs).tokens;
  }

  /** What is used of our share, 0..1: less than 1 after a throttle. */
  pace(nowMs: number): number {
    return paceAt(this.#pace, nowMs);
  }

  /** Time until a call about so many instances may be sent, ms. 0: now. */
  msUntil(resources: number, nowMs: number): number {
    const requestMs = msUntilTokens(this.#requests, this.#paced(this.#requestLimit, nowMs), nowMs);
    if (!this.#resources || !this.#resourceLimit) return requestMs;
    const limit = this.#paced(this.#resourceLimit, nowMs);
    return Math.max(requestMs, msUntilTokens(this.#resources, limit, nowMs, this.#wanted(resources)));
  }

  /** Takes the tokens of one call, or none. */
  take(resources: number, nowMs: number): boolean {
    const requests = takeTokens(this.#requests, this.#paced(this.#requestLimit, nowMs), nowMs);
    const instances = this.#takenInstances(resources, nowMs);
    if (!requests || instances === null) return false;
    this.#requests = requests;
    if (instances !== 'unlimited') this.#resources = instances;
    return true;
  }

  /** EC2 has no tokens left, whatever we counted. */
  throttle(nowMs: number): void {
    this.#throttled += 1;
    this.#requests = emptyBucket(nowMs);
    this.#pace = throttledPace(this.#pace, nowMs);
  }

  #takenInstances(resources: number, nowMs: number): TokenBucket | 'unlimited' | null {
    if (!this.#resources || !this.#resourceLimit) return 'unlimited';
    return takeTokens(this.#resources, this.#paced(this.#resourceLimit, nowMs), nowMs, this.#wanted(resources));
  }

  /** A call about more instances than the bucket ever holds waits for a full one. */
  #wanted(resources: number): number {
    return Math.min(resources, this.#resourceLimit?.burst ?? resources);
  }

  #paced({ burst, refillPerSecond }: BucketLimit, nowMs: number): BucketLimit {
    return { burst, refillPerSecond: refillPerSecond * paceAt(this.#pace, nowMs) };
  }
}
