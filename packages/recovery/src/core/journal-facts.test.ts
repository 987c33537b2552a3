import { expect, test } from 'vitest';
import { journalFacts } from './journal-facts.ts';

const entry = (step: string, state: 'started' | 'done' | 'failed', result: Record<string, unknown> | null = null) => ({
  ...{ step, state, result },
  endedAtWallMs: state === 'started' ? null : 7,
});

test('nothing is said by an empty journal, nor by a step that nobody knows', () => {
  const nothing = { fenceBegun: false, launched: [], replacementId: null, activatedAtWallMs: null };
  expect(journalFacts([])).toEqual(nothing);
  expect(journalFacts([entry('relaunch-1', 'done', { instanceId: 'i-1' })])).toEqual(nothing);
});

test('the replacement is what the newest launch that ended well has made', () => {
  const facts = journalFacts([
    entry('launch-10', 'done', { instanceId: 'i-10' }),
    entry('launch-9', 'done', { instanceId: 'i-9' }),
    entry('launch-11', 'failed', { failure: 'capacity' }),
  ]);
  expect(facts.replacementId).toBe('i-10');
  expect(facts.launched.map((one) => one.instanceId)).toEqual(['i-10', 'i-9']);
});

test('a fence counts from its beginning, an activation from its end', () => {
  const began = journalFacts([entry('fence', 'started'), entry('activate', 'started')]);
  expect([began.fenceBegun, began.activatedAtWallMs]).toEqual([true, null]);
  expect(journalFacts([entry('activate', 'done')]).activatedAtWallMs).toBe(7);
});
