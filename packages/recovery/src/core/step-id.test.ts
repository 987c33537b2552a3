import { expect, test } from 'vitest';
import { isItem, readStepId, stepKey } from './step-id.ts';

test.each([
  ['fence', stepKey('fence')],
  ['launch-12', stepKey('launch', 12)],
  ['address-eipalloc-0a1', stepKey('address', 'eipalloc-0a1')],
])('the id %s names its step, and is read back', (id, key) => {
  expect([key.id, readStepId(id)]).toEqual([id, key]);
});

test('an item is what can be part of a key and be read back as one', () => {
  expect(['eipalloc-0a1', 'db.example:443', 'red', '7up'].filter((item) => !isItem(item))).toEqual([]);
  expect(['', '7', 'a/b', 'two words', 'ü'].filter(isItem)).toEqual([]);
});

test('a step is done once, or for an attempt, or for an item', () => {
  const at = ({ attempt, item }: { readonly attempt: number; readonly item: string }) => [attempt, item];
  expect(at(stepKey('fence'))).toEqual([0, '']);
  expect(at(stepKey('launch', 2))).toEqual([2, '']);
  expect(at(stepKey('address', 'a1'))).toEqual([0, 'a1']);
});
