import { type BucketLimit, fullBucket, takeTokens, type TokenBucket } from '@understudy/shared';
import { Ec2Error } from '../ec2-error.ts';

/** Route 53 Developer Guide, throttling of API requests: the account, and each action by itself. */
const REQUESTS: BucketLimit = { burst: 50, refillPerSecond: 10 };
/** The same page, change throughput: CREATE and DELETE cost 1, UPSERT costs 2. */
const CHANGES: BucketLimit = { burst: 1_500, refillPerSecond: 100 };

/** Unlike EC2, Route 53 says so with status 400. */
export const throttled = (): Ec2Error => new Ec2Error('Throttling', 'Rate exceeded', 400);

/** The buckets of one account. Refill rates are multiplied by the speed. */
export class Route53Rate {
  readonly #speed: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(speed: number) {
    this.#speed = speed;
  }

  /**
   * Takes the tokens of one call.
   * @throws Throttling when a bucket is short; then none is taken.
   */
  admit(action: string, changes: number, nowMs: number): void {
    const wanted: readonly (readonly [string, BucketLimit, number])[] = [
      ['account', REQUESTS, 1],
      [action, REQUESTS, 1],
      ...(changes > 0 ? [['changes', CHANGES, changes] as const] : []),
    ];
    const taken = wanted.map(([name, { burst, refillPerSecond }, count]) => {
      const limit = { burst, refillPerSecond: refillPerSecond * this.#speed };
      return [name, takeTokens(this.#buckets.get(name) ?? fullBucket(limit, nowMs), limit, nowMs, count)] as const;
    });
    if (taken.some(([, bucket]) => bucket === null)) throw throttled();
    for (const [name, bucket] of taken) if (bucket) this.#buckets.set(name, bucket);
  }
}
