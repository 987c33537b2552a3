export interface BucketSpec {
  readonly burst: number;
  readonly perSecond: number;
}

/** Float token bucket, refilled continuously up to its burst. */
export class TokenBucket {
  readonly #spec: BucketSpec;
  #tokens: number;
  #atMs: number;

  constructor(spec: BucketSpec, nowMs: number) {
    this.#spec = spec;
    this.#tokens = spec.burst;
    this.#atMs = nowMs;
  }

  has(count: number, nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= count;
  }

  take(count: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= count;
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#spec.burst, this.#tokens + (elapsedMs / 1_000) * this.#spec.perSecond);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}
