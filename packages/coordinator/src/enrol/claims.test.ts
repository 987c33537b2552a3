import { TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { decideEnrolment } from './enrol.ts';
import { input, instance } from './enrol.fixtures.ts';

describe('tags', () => {
  const LONG = 'a'.repeat(64);
  const CHARACTERS = 'has other characters than a-z 0-9 . _ -';
  test.each([
    ['prod', 'DB1', 'understudy:member=DB1: has capital letters; db1 would do'],
    ['Prod', 'db1', 'understudy:group=Prod: has capital letters; prod would do'],
    ['prod', 'db 1', 'understudy:member=db 1: has blanks; db-1 would do'],
    ['prod', 'prod/_x', 'understudy:member=_x: begins with neither letter nor digit; x would do'],
    ['prod', 'dé', `understudy:member=dé: ${CHARACTERS}; d- would do`],
    ['prod', LONG, `understudy:member=${LONG}: has 64 characters, at most 63; ${LONG.slice(1)} would do`],
    [
      'prod',
      `A${LONG.slice(2)}`,
      `understudy:member=A${LONG.slice(2)}: has capital letters; ${LONG.slice(1)} would do`,
    ],
    ['prod', 'prod/', 'understudy:member=: is empty'],
    ['prod', '--', 'understudy:member=--: begins with neither letter nor digit'],
    [
      'prod',
      '_B c!',
      `understudy:member=_B c!: has capital letters, has blanks, begins with neither letter nor digit, ${CHARACTERS}; b-c- would do`,
    ],
    ['prod', 'a/b/c', 'understudy:member=a/b/c has more than one "/"'],
    ['prod', 'dev/db1', 'understudy:member=dev/db1 names another group than understudy:group=prod'],
  ])('of group %s, member %s: the reason is said', (group, member, text) => {
    const tags = { [TAG.group]: group, [TAG.member]: member };
    expect(decideEnrolment(input([instance('i-1', { tags })])).problems.map((one) => one.text)).toEqual([text]);
  });

  test('of one without a group: what it has is said', () => {
    const said = (tags: Record<string, string>) =>
      decideEnrolment(input([instance('i-1', { tags })])).problems[0]?.text;
    expect(said({ [TAG.member]: 'db1' })).toBe('has understudy:member=db1 but no understudy:group');
    expect(said({})).toBe('has understudy:member= but no understudy:group');
  });

  test.each<[string, Record<string, string>, string]>([
    ['no member tag', { [TAG.group]: 'prod' }, 'MemberTagMissing'],
    ['no group tag', { [TAG.member]: 'db1' }, 'GroupTagMissing'],
    ['empty group', { [TAG.group]: '', [TAG.member]: 'db1' }, 'GroupTagEmpty'],
    ['bad name', { [TAG.group]: 'prod', [TAG.member]: 'DB 1' }, 'NameInvalid'],
    ['bad group', { [TAG.group]: '../x', [TAG.member]: 'db1' }, 'NameInvalid'],
    ['three parts', { [TAG.group]: 'prod', [TAG.member]: 'prod/db1/x' }, 'NameInvalid'],
    ['another group', { [TAG.group]: 'prod', [TAG.member]: 'dev/db1' }, 'GroupMismatch'],
  ])('%s is reported and enrols nobody', (_, tags, code) => {
    const decisions = decideEnrolment(input([instance('i-1', { tags })]));
    expect(decisions).toMatchObject({ enrol: [], conflicts: [], problems: [{ instanceId: 'i-1', code }] });
  });

  test.each(['terminated', 'shutting-down'] as const)(
    'of an instance that is %s are nobody’s problem any more',
    (state) => {
      const tags = { [TAG.group]: 'prod', [TAG.member]: 'DB 1' };
      expect(decideEnrolment(input([instance('i-1', { state, tags })])).problems).toEqual([]);
    },
  );
});
