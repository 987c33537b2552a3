import { type BucketLimit, fullBucket, takeTokens, type TokenBucket } from '@understudy/shared';

const NAMES_MAX = 5_000;

/**
 * The name that an address goes by. Of IPv6 an instance has single addresses, or a prefix of /80
 * (EC2, prefix delegation); a /64 is a whole subnet, which one of its instances is not to stop.
 */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - groups.length - after.length }, () => '0');
  return `${[...groups, ...zeros, ...after]
    .slice(0, 5)
    .map((group) => Number.parseInt(group, 16))
    .join(':')}::/80`;
}

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
