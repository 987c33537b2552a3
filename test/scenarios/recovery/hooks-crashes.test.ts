import { expect, test } from 'vitest';
import { hooksOf } from './hooks-scene.ts';
import { killedAt } from './stories.ts';

test('hooks are run at least once, under one id, wherever the leader is killed', { timeout: 120_000 }, async () => {
  const { ran, story } = hooksOf();
  const cases = await killedAt(story, ['call', 'commit'], ['hook-drain', 'hook-check', 'hook-tell', 'activate']);
  expect(cases).toBeGreaterThanOrEqual(70);
  // A leader that dies is followed by one that begins the same try again: never another one.
  expect(new Set(ran.map((one) => one.id.split('.').slice(1).join('.')))).toEqual(
    new Set(['drain.1', 'fenced.1', 'check.1', 'tell.1']),
  );
});
