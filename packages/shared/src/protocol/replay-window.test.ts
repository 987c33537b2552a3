import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReplayVerdict, ReplayWindow } from './replay-window.ts';

/** The same rules without bit tricks: remembers everything. */
class DumbWindow {
  #epoch = -1n;
  #seen = new Set<bigint>();

  accept(epoch: bigint, sequence: bigint): ReplayVerdict {
    if (epoch < this.#epoch) return 'stale';
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      this.#seen = new Set();
    }
    const highest = [...this.#seen].reduce((one, other) => (one > other ? one : other), sequence);
    if (highest - sequence >= 64n) return 'stale';
    if (this.#seen.has(sequence)) return 'replayed';
    this.#seen.add(sequence);
    return 'fresh';
  }
}

const near = fc.bigInt(0n, 200n);
const datagram = fc.record({
  epoch: fc.bigInt(0n, 3n),
  sequence: fc.oneof(
    { weight: 8, arbitrary: near },
    { weight: 1, arbitrary: fc.bigInt(2n ** 64n - 200n, 2n ** 64n - 1n) },
  ),
});

describe('the replay window', () => {
  it('says the same as a model that remembers everything', () => {
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 300 }), (datagrams) => {
        const window = new ReplayWindow();
        const model = new DumbWindow();
        for (const { epoch, sequence } of datagrams)
          expect(window.accept(epoch, sequence)).toBe(model.accept(epoch, sequence));
      }),
      { numRuns: 300 },
    );
  });

  it('never accepts the same datagram twice', () => {
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 300 }), (datagrams) => {
        const window = new ReplayWindow();
        const fresh = datagrams.filter(({ epoch, sequence }) => window.accept(epoch, sequence) === 'fresh');
        expect(new Set(fresh.map(({ epoch, sequence }) => `${epoch}/${sequence}`)).size).toBe(fresh.length);
      }),
    );
  });

  it('accepts what is 63 behind and refuses what is 64 behind', () => {
    const window = new ReplayWindow();
    window.accept(1n, 100n);
    expect(window.accept(1n, 37n)).toBe('fresh');
    expect(window.accept(1n, 37n)).toBe('replayed');
    expect(window.accept(1n, 36n)).toBe('stale');
  });

  it('forgets nothing when it moves by 63, everything when it moves by 64', () => {
    const window = new ReplayWindow();
    window.accept(1n, 1n);
    window.accept(1n, 64n);
    expect(window.accept(1n, 1n)).toBe('replayed');
    window.accept(1n, 128n);
    expect(window.accept(1n, 64n)).toBe('stale');
    expect(window.accept(1n, 65n)).toBe('fresh');
  });

  it('starts again with a newer boot epoch and never goes back', () => {
    const window = new ReplayWindow();
    window.accept(1n, 500n);
    expect(window.accept(2n, 1n)).toBe('fresh');
    expect(window.accept(1n, 501n)).toBe('stale');
    expect([window.epoch, window.highest]).toEqual([2n, 1n]);
  });
});
