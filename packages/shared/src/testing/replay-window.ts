export type ReplayVerdict = 'fresh' | 'replayed' | 'stale';

/**
 * The 64-wide anti-replay window per boot epoch (RFC 4303 §3.4.3), written as plainly as it can be.
 * The observer's own window over flat columns is compared with it.
 */
export class ReplayWindow {
  #epoch = -1n;
  #highest = 0n;
  #seen = 0n;

  get epoch(): bigint {
    return this.#epoch;
  }

  get highest(): bigint {
    return this.#highest;
  }

  /**
   * Accepts each (epoch, sequence) at most once. `stale`: an older epoch, or more than 64 behind.
   */
  accept(epoch: bigint, sequence: bigint): ReplayVerdict {
    if (epoch < this.#epoch) return 'stale';
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      this.#highest = sequence;
      this.#seen = 1n;
      return 'fresh';
    }
    if (sequence > this.#highest) {
      const shift = sequence - this.#highest;
      this.#seen = shift >= 64n ? 1n : BigInt.asUintN(64, this.#seen << shift) | 1n;
      this.#highest = sequence;
      return 'fresh';
    }
    const behind = this.#highest - sequence;
    if (behind >= 64n) return 'stale';
    const bit = 1n << behind;
    if ((this.#seen & bit) !== 0n) return 'replayed';
    this.#seen |= bit;
    return 'fresh';
  }
}
