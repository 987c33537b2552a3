import { type BucketLimit, fullBucket, takeTokens, type TokenBucket } from '@understudy/shared';
import { Ec2Error } from '../ec2-error.ts';

/** Elastic Load Balancing User Guide, request throttling for the API: all actions, and reads. */
const ACCOUNT: BucketLimit = { burst: 40, refillPerSecond: 10 };
/** The same page: what registers and deregisters targets. */
const REGISTRATIONS: BucketLimit = { burst: 20, refillPerSecond: 4 };

/** The buckets of one account. Refill rates are multiplied by the speed. */
export class Elbv2Rate {
  readonly #speed: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(speed: number) {
    this.#speed = speed;
  }

  /**
   * Takes the tokens of one call.
   * @throws RequestLimitExceeded when a bucket is short; then none is taken.
   */
  admit(action: string, nowMs: number): void {
    const wanted: readonly (readonly [string, BucketLimit])[] = [
      ['account', ACCOUNT],
      action.endsWith('egisterTargets') ? ['registrations', REGISTRATIONS] : ['reads', ACCOUNT],
    ];
    const taken = wanted.map(([name, { burst, refillPerSecond }]) => {
      const limit = { burst, refillPerSecond: refillPerSecond * this.#speed };
      return [name, takeTokens(this.#buckets.get(name) ?? fullBucket(limit, nowMs), limit, nowMs)] as const;
    });
    if (taken.some(([, bucket]) => bucket === null)) throw new Ec2Error('RequestLimitExceeded', 'Rate exceeded');
    for (const [name, bucket] of taken) if (bucket) this.#buckets.set(name, bucket);
  }
}
