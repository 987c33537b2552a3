import { describe, expect, it, test } from 'vitest';
import { hasCode } from './errors.ts';
import { isName, groupOf, memberId, parseMemberId } from './member-id.ts';

const codeOf = (act: () => unknown): boolean => {
  try {
    act();
    return false;
  } catch (error) {
    return hasCode(error, 'CONFIG_INVALID');
  }
};

describe('member ids', () => {
  it('join group and name, and come apart again', () => {
    expect(memberId('orders', 'db-1')).toBe('orders/db-1');
    expect(groupOf('orders/db-1')).toBe('orders');
    expect(parseMemberId('orders/db-1')).toEqual({ group: 'orders', name: 'db-1', member: 'orders/db-1' });
  });

  test.each(['a', '0', 'a.b_c-d', 'a'.repeat(63)])('"%s" is a name', (name) => expect(isName(name)).toBe(true));

  // A slash or white space in a name would make one member's etcd key another's.
  test.each(['', '-a', '.a', '_a', 'A', 'a b', 'a/b', 'ä', 'a\n', 'a'.repeat(64)])('"%s" is no name', (name) => {
    expect(isName(name)).toBe(false);
    expect(codeOf(() => memberId('group', name))).toBe(true);
    expect(codeOf(() => memberId(name, 'name'))).toBe(true);
  });

  test.each(['orders', 'orders/', '/db', 'orders/db/1', '', '/'])('"%s" is no member id', (text) => {
    expect(codeOf(() => parseMemberId(text))).toBe(true);
  });
});
