import type { Random } from '@understudy/shared';

/**
 * sfc32 (Doty-Humphrey, PractRand). It has 128 bits of state, because a thousand years need more
 * numbers than the 2^32 that `SeededRandom` has.
 */
export class LongRandom implements Random {
  #a: number;
  #b = 0x9e37_79b9;
  #c = 0x243f_6a88;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    for (let i = 0; i < 20; i++) this.next();
  }

  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 4_294_967_296;
  }

  hex(byteCount: number): string {
    return Array.from({ length: byteCount }, () =>
      Math.floor(this.next() * 256)
        .toString(16)
        .padStart(2, '0'),
    ).join('');
  }
}

export const exponential = (random: Random, mean: number): number => -mean * Math.log(1 - random.next());

/** Box-Muller. */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

/** One path between an agent and a coordinator, both directions. */
export interface LossPath {
  /** True when a datagram sent at this moment is lost. Moments never go back. */
  lost(atMs: number): boolean;
}

/** Loses each datagram independently. */
export class Independent implements LossPath {
  readonly ratio: number;
  readonly #random: Random;

  constructor(ratio: number, random: Random) {
    this.ratio = ratio;
    this.#random = random;
  }

  lost(): boolean {
    return this.#random.next() < this.ratio;
  }
}

/** Mean lengths and loss in the two states (Gilbert 1960, Elliott 1963), in continuous time. */
export interface Bursts {
  readonly goodMs: number;
  readonly badMs: number;
  readonly goodLoss: number;
  readonly badLoss: number;
}

/**
 * Loss in bursts: a path is good or bad, for exponentially distributed times, and bad in both
 * directions at once.
 */
export class InBursts implements LossPath {
  readonly #bursts: Bursts;
  readonly #random: Random;
  #bad: boolean;
  #untilMs: number;

  constructor(bursts: Bursts, random: Random, startMs: number) {
    this.#bursts = bursts;
    this.#random = random;
    this.#bad = random.next() < bursts.badMs / (bursts.badMs + bursts.goodMs);
    // The distribution is memoryless, so the rest of a state is as long as a whole one.
    this.#untilMs = startMs + this.#length();
  }

  #length(): number {
    return exponential(this.#random, this.#bad ? this.#bursts.badMs : this.#bursts.goodMs);
  }

  lost(atMs: number): boolean {
    while (atMs >= this.#untilMs) {
      this.#bad = !this.#bad;
      this.#untilMs += this.#length();
    }
    return this.#random.next() < (this.#bad ? this.#bursts.badLoss : this.#bursts.goodLoss);
  }
}
