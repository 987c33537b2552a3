import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exercised } from './exercised.ts';
import { type ReplayVerdict, ReplayWindow } from './replay-window.ts';

/** Keeps the same rules without bit tricks: it remembers everything. */
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

/**
 * Mostly one epoch, in which the sequence moves on by little and looks back by as much. There the
 * window decides.
 */
const step = fc.record({
  epoch: fc.oneof({ weight: 60, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: fc.constantFrom(1n, -1n) }),
  by: fc.oneof(
    { weight: 12, arbitrary: fc.integer({ min: -80, max: 12 }) },
    { weight: 1, arbitrary: fc.integer({ min: 40, max: 200 }) },
  ),
});
const BASES = [0n, 2n ** 32n - 200n, 2n ** 64n - 2_000n];
const clamp = (value: bigint) => (value < 0n ? 0n : value > 2n ** 64n - 1n ? 2n ** 64n - 1n : value);

/**
 * Datagrams around the point that the sequence has reached. `size: 'max'` is needed because the
 * default makes arrays of five.
 */
const datagrams = fc
  .tuple(fc.constantFrom(...BASES), fc.array(step, { minLength: 60, maxLength: 300, size: 'max' }))
  .map(([base, steps]) => {
    let epoch = 1n;
    let highest = base;
    return steps.map((one) => {
      if (one.epoch === 1n) [epoch, highest] = [epoch + 1n, base];
      const sequence = clamp(highest + BigInt(one.by));
      if (sequence > highest) highest = sequence;
      return { epoch: one.epoch === -1n ? epoch - 1n : epoch, sequence };
    });
  });

describe('the replay window', () => {
  it('says the same as a model that remembers everything', () => {
    const seen = exercised();
    fc.assert(
      fc.property(datagrams, (all) => {
        const window = new ReplayWindow();
        const model = new DumbWindow();
        for (const { epoch, sequence } of all) {
          const verdict = model.accept(epoch, sequence);
          expect(window.accept(epoch, sequence)).toBe(verdict);
          seen.note(verdict);
        }
      }),
      { numRuns: 300 },
    );
    seen.atLeast({ fresh: 5_000, replayed: 2_500, stale: 2_000 });
  });

  it('never accepts the same datagram twice', () => {
    const seen = exercised();
    fc.assert(
      fc.property(datagrams, (all) => {
        const window = new ReplayWindow();
        const nameOf = ({ epoch, sequence }: (typeof all)[number]) => `${epoch}/${sequence}`;
        const fresh = all.filter(({ epoch, sequence }) => window.accept(epoch, sequence) === 'fresh');
        expect(new Set(fresh.map(nameOf)).size).toBe(fresh.length);
        seen.note('sent twice', all.length - new Set(all.map(nameOf)).size);
      }),
    );
    seen.atLeast({ 'sent twice': 800 });
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
