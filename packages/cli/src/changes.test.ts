import { expect, it } from 'vitest';
import { changesOf } from './changes.ts';

const facts = (all: Readonly<Record<string, string>>) => new Map(Object.entries(all));

it('is a line for what is new, other, or gone, and none for what stayed', () => {
  const before = facts({ leader: 'c1', 'db/one': 'alive', 'db/two': 'alive' });
  const after = facts({ leader: 'c2', 'db/one': 'alive', 'db/new': 'unknown' });
  expect(changesOf(before, after)).toEqual(['leader: c1 → c2', 'db/new: unknown', 'db/two: alive → gone']);
  expect(changesOf(after, after)).toEqual([]);
});
