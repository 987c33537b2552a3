import { exercised, ReplayWindow } from '@understudy/shared/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EntryColumns } from './columns.ts';
import { acceptSequence } from './replay-columns.ts';

const halves = (value: bigint): [number, number] => [Number(value >> 32n), Number(value & 0xffff_ffffn)];
/** Around one base for a while: a far jump ends every window, so most steps make none. */
const BASES = [1n, 1n << 31n, (1n << 32n) - 40n, 1n << 40n];
const step = fc.record({
  epoch: fc.oneof(
    { weight: 200, arbitrary: fc.constant(1n) },
    { weight: 1, arbitrary: fc.constantFrom(2n, (1n << 32n) + 1n) },
  ),
  offset: fc.bigInt(0n, 100n),
});
const stretch = fc.tuple(fc.constantFrom(...BASES), fc.array(step, { minLength: 30, maxLength: 80, size: 'max' }));
const stretches = fc
  .array(stretch, { minLength: 1, maxLength: 4 })
  .map((all) => all.toSorted(([a], [b]) => (a < b ? -1 : 1)));

it('judges every sequence of datagrams exactly as ReplayWindow does', () => {
  const seen = exercised();
  fc.assert(
    fc.property(stretches, (all) => {
      const window = new ReplayWindow();
      const entries = new EntryColumns();
      const entry = entries.take();
      for (const [base, steps] of all)
        for (const { epoch, offset } of steps) {
          const sequence = base + offset;
          const verdict = window.accept(epoch, sequence);
          expect(acceptSequence(entries, entry, ...halves(epoch), ...halves(sequence), 0)).toBe(verdict);
          seen.note(verdict);
        }
    }),
    { numRuns: 300 },
  );
  seen.atLeast({ fresh: 8_000, replayed: 2_000, stale: 2_000 });
});

it('a jump of exactly the width of the window makes all in between unseen', () => {
  const entries = new EntryColumns();
  const entry = entries.take();
  const accept = (sequence: number) => acceptSequence(entries, entry, 0, 1, 0, sequence, 0);
  expect([accept(1), accept(65), accept(33), accept(2), accept(1)]).toEqual([
    'fresh',
    'fresh',
    'fresh',
    'fresh',
    'stale',
  ]);
});
