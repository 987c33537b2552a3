import { describe, expect, it } from 'vitest';
import { scopeOf } from './scope.ts';

describe('a scope', () => {
  it.each([
    ['all', 'global', '/v1'],
    ['db', 'group/db', '/v1/groups/db'],
    ['db/one', 'member/db/one', '/v1/members/db/one'],
  ])('%s is %s', (text, scope, path) => {
    expect(scopeOf(text)).toEqual({ scope, path });
  });

  it.each(['global', 'group/db', 'member/db/one'])('is taken as it is shown: %s', (shown) => {
    expect(scopeOf(shown).scope).toBe(shown);
  });

  it.each(['', 'a/b/c', 'UP', 'db/', 'member/a'])('%j is none, or means another', (text) => {
    if (text === 'member/a') expect(scopeOf(text).scope).toBe('member/member/a');
    else expect(() => scopeOf(text)).toThrow(/want all, a group/);
  });
});
