import { expect, test } from 'vitest';
import { NAMED } from './names-scene.ts';
import { killedAt } from './stories.ts';

test('what names a member follows to its replacement once, wherever the leader is killed', {
  timeout: 240_000,
}, async () => {
  const cases = await killedAt(NAMED, ['call', 'commit'], ['swapRecord', 'registerTargets', 'deregisterTargets']);
  expect(cases).toBeGreaterThanOrEqual(80);
});
