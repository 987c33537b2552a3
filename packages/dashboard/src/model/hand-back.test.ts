import { expect, test } from 'vitest';
import { handBackCommand } from './hand-back.ts';

test('a recovery that changed the instance tells how code takes it over, and another one does not', () => {
  const command = (outcome: 'replaced' | 'mended' | 'not-mended' | 'abandoned' | 'undone') =>
    handBackCommand({ outcome, member: 'db/one', opId: 'op-1' });
  expect(command('replaced')).toBe('understudy handback db/one --from-recovery op-1');
  expect(command('undone')).toBe(command('replaced'));
  expect([command('mended'), command('not-mended'), command('abandoned')]).toEqual([null, null, null]);
});
