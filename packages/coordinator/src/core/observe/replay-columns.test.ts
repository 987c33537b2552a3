import { ReplayWindow } from '@understudy/shared';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EntryColumns } from './columns.ts';
import { acceptSequence } from './replay-columns.ts';

const halves = (value: bigint): [number, number] => [Number(value >> 32n), Number(value & 0xffff_ffffn)];
const near = fc.tuple(fc.constantFrom(0n, 1n << 31n, (1n << 32n) - 40n, 1n << 40n), fc.bigInt(0n, 200n));
const step = fc.record({
  epoch: fc.constantFrom(1n, 1n, 1n, 1n, 2n, (1n << 32n) + 1n),
  sequence: near.map(([base, offset]) => base + offset),
});

it('judges every sequence of datagrams exactly as ReplayWindow does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const window = new ReplayWindow();
      const entries = new EntryColumns();
      const entry = entries.take();
      for (const { epoch, sequence } of steps)
        expect(acceptSequence(entries, entry, ...halves(epoch), ...halves(sequence), 0)).toBe(
          window.accept(epoch, sequence),
        );
    }),
    { numRuns: 300 },
  );
});
