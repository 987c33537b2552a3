import { describe, expect, test } from 'vitest';
import type { MemberId } from '@understudy/shared';
import { groupLabel, OTHER_GROUPS } from './group-label.ts';

describe('the group label', () => {
  const members: readonly MemberId[] = ['c/1', 'a/1', 'b/1', 'a/2'];

  test('is the group of the member', () => {
    expect(members.map(groupLabel(members))).toEqual(['c', 'a', 'b', 'a']);
  });

  test('has a bound, beyond which all groups share one name, the same ones whatever the order', () => {
    for (const order of [members, members.toReversed()])
      expect(members.map(groupLabel(order, 2))).toEqual([OTHER_GROUPS, 'a', 'b', 'a']);
  });

  test('of a member nobody knew when the bound was reached is the shared one', () => {
    expect(groupLabel(members, 2)('new/1')).toBe(OTHER_GROUPS);
  });
});
