import type { Random } from '@understudy/shared';
import { SeededRandom } from '@understudy/shared/testing';

/** Values thrown at a field: where counters wrap, signs flip and buffers end. */
const EDGES_64 = [
  0n,
  1n,
  63n,
  64n,
  65n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 2n,
  2n ** 64n - 1n,
] as const;

/** Seeded choices. The same numbers give the same throws. */
export class Dice {
  readonly #random: Random;

  /** Each pair of numbers gives a sequence of its own. */
  constructor(seed: number, stream: number) {
    this.#random = new SeededRandom(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(stream + 1, 0x85eb_ca6b));
  }

  /** Uniform integer in [0, count). */
  below(count: number): number {
    return Math.floor(this.#random.next() * count);
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  hex(byteCount: number): string {
    return this.#random.hex(byteCount);
  }

  /** An edge, one beside an edge, or anything. */
  u64(): bigint {
    if (this.chance(0.3)) return (BigInt(this.below(0x1_0000_0000)) << 32n) | BigInt(this.below(0x1_0000_0000));
    return BigInt.asUintN(64, this.pick(EDGES_64) + BigInt(this.below(3) - 1));
  }

  u32(): number {
    return Number(this.u64() & 0xffff_ffffn);
  }
}
