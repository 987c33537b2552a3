import { type BucketLimit, fullBucket, takeTokens, type TokenBucket } from '@understudy/shared';

const NAMES_MAX = 5_000;

/** Token buckets by name; who asked longest ago is forgotten first, and begins anew. */
export class Pace {
  readonly #limit: BucketLimit;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(limit: BucketLimit) {
    this.#limit = limit;
  }

  /** False: it has asked too often. */
  take(name: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(name) ?? fullBucket(this.#limit, nowMs);
    const taken = takeTokens(bucket, this.#limit, nowMs);
    this.#buckets.delete(name);
    this.#buckets.set(name, taken ?? bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > NAMES_MAX && oldest !== undefined) this.#buckets.delete(oldest);
    return taken !== null;
  }
}
