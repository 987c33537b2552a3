import { expect, it } from 'vitest';
import { memberOf } from '../member.fixtures.ts';
import { groupTree, heardBy } from './group-tree.ts';

const AT = { nowWallMs: 10_000, screen: { width: null } };
const opinion = (observer: string, verdict: 'alive' | 'suspect') => ({ observer, az: 'a', verdict, reason: 'x' });
const four = ['a', 'b', 'c', 'd', 'e'].map((name) => memberOf({ member: `db/${name}` }));

it('folds members that are alike into one line, and shows the odd ones first', () => {
  const odd = memberOf({
    ...{ member: 'web/x', verdict: 'suspect', instanceId: 'i-9' },
    judged: { standing: 'current', by: 'c1', term: 7, verdict: 'suspect', ageMs: 1, sinceWallMs: 4_000 },
    opinions: [opinion('c1', 'suspect'), opinion('c2', 'alive')],
  });
  expect(groupTree([odd, ...four, memberOf({ member: 'web/a' })], false, AT)).toBe(
    [
      'db  5 of 5 alive',
      '└─ 5 alive: db/a … db/e (--all lists them)',
      'web  1 of 2 alive',
      '├─ web/x  suspect for 6 s  i-9  heard by 1/2',
      '└─ 1 alive: web/a',
    ].join('\n'),
  );
});

it('lists every member when asked, in the order of their names', () => {
  const lines = groupTree(four.toReversed(), true, AT).split('\n');
  expect(lines.map((line) => /db\/\w/.exec(line)?.[0])).toEqual([undefined, 'db/a', 'db/b', 'db/c', 'db/d', 'db/e']);
});

it('does not fold what is alive and held, recovering or degraded', () => {
  const hold = { reason: 'Protected', text: 'x', sinceWallMs: 1, untilWallMs: null } as const;
  const odd = [memberOf({ hold }), memberOf({ recovery: 'op-1' }), memberOf({ degraded: true })];
  const tree = groupTree(odd, false, AT);
  for (const part of ['0 of 3 alive', 'held: Protected', 'recovering (op-1)', 'degraded']) expect(tree).toContain(part);
});

it('says nothing of ears where nobody has an opinion', () => expect(heardBy(memberOf({ opinions: [] }))).toBe('-'));
