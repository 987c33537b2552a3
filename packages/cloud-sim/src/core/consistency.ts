import type { LatencyModel } from './latency.ts';

/**
 * One look at the Region: its reader, its action and its moment. Two readers may see different
 * states at the same moment.
 */
export interface Glance {
  readonly nowMs: number;
  readonly reader: string;
  readonly action: string;
  /** Further age of what is shown (fault `stale-read`). */
  readonly staleMs: number;
}

/** FNV-1a, 32 bits, finished like murmur3, as a fraction of 1. */
export function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296;
}

/**
 * How late a reader learns of a version of a resource. It is a pure function of seed, resource,
 * version and reader. Creation lags differ per action as well, so that one API can know a resource
 * that another does not know yet.
 */
export class Consistency {
  readonly #latency: LatencyModel;
  readonly #seed: number;

  constructor(latency: LatencyModel, seed: number) {
    this.#latency = latency;
    this.#seed = seed;
  }

  /** The longest lag there is. */
  get maxLagMs(): number {
    const [, createdMs] = this.#latency.range('consistency.created');
    const [, changedMs] = this.#latency.range('consistency.changed');
    return Math.max(createdMs, changedMs) / this.#latency.speed;
  }

  /** A duration of the Region at speed 1, converted to the speed it has. */
  scaledMs(durationMs: number): number {
    return durationMs / this.#latency.speed;
  }

  lagMs(id: string, version: number, glance: Glance): number {
    const [minMs, maxMs] = this.#latency.range(version === 0 ? 'consistency.created' : 'consistency.changed');
    if (maxMs === 0) return 0;
    const who = version === 0 ? `${glance.reader}/${glance.action}` : glance.reader;
    const fraction = fractionOf(`${this.#seed}/${id}/${version}/${who}`);
    return (minMs + fraction * (maxMs - minMs)) / this.#latency.speed;
  }
}
