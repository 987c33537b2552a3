import type { Random } from './ports/random.ts';

/**
 * mulberry32: 32 bits of state, good enough for scheduling faults and jitter. The same seed gives
 * the same run.
 */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  hex(byteCount: number): string {
    let text = '';
    for (let i = 0; i < byteCount; i++)
      text += Math.floor(this.next() * 256)
        .toString(16)
        .padStart(2, '0');
    return text;
  }
}
