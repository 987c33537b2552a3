import { describe, expect, it, test } from 'vitest';
import { fleetOf, groupsOf, heardCells, labelsOf, lowestPhi, matches, withDelta } from './fleet.ts';
import { hold, member, viewOf } from './fleet.fixtures.ts';

const one = member('db/one');
const two = member('db/two');

describe('an update', () => {
  const before = fleetOf(viewOf([one, two], { heard: { ageDs: [[1, 2]], phiTenths: [[0, 0]] } }));
  const { members: _, ...head } = viewOf([]);

  it('replaces only the rows it names, so that the other tiles do nothing', () => {
    const dead = member('db/two', { verdict: 'dead' });
    const after = withDelta(before, { ...head, changed: [{ index: 1, member: dead }] });
    expect(after.view.members).toEqual([one, dead]);
    expect(after.view.members[0]).toBe(one);
    expect(before.view.members[1]).toBe(two);
  });

  it('without changed rows keeps the very list of members', () => {
    const heard = { ageDs: [[9, 9]], phiTenths: [[5, 5]] };
    const after = withDelta(before, { ...head, changed: [], heard });
    expect(after.view.members).toBe(before.view.members);
    expect(after.view.heard).toBe(heard);
  });
});

describe('what each observer hears', () => {
  const heard = {
    ageDs: [[4, 90], [6, -1], [5]],
    phiTenths: [[2, 80], [3, -1], [1]],
  };
  const known = fleetOf(viewOf([one, two], { heard }));

  it('is in milliseconds, and null where it is not known or the list is too short', () => {
    expect(heardCells(known, 'db/one').map(({ ageMs }) => ageMs)).toEqual([400, 600, 500]);
    expect(heardCells(known, 'db/two').map(({ ageMs, phi }) => [ageMs, phi])).toEqual([
      [9_000, 8],
      [null, null],
      [null, null],
    ]);
  });

  it('of nobody we know is nothing', () => {
    expect(heardCells(known, 'db/three').every(({ ageMs }) => ageMs === null)).toBe(true);
  });

  it('is charted by the observer that hears it best', () => {
    expect(lowestPhi(heardCells(known, 'db/one'))).toBeCloseTo(0.1);
    expect(lowestPhi([])).toBeNull();
  });
});

describe('order', () => {
  it('puts groups and members that need eyes first, and equals by name', () => {
    const groups = groupsOf([
      member('a/one'),
      member('b/one'),
      member('b/two', { verdict: 'suspect' }),
      member('c/one', { verdict: 'dead' }),
      member('d/one', { degraded: true }),
    ]);
    expect(groups.map(({ name }) => name)).toEqual(['c', 'b', 'd', 'a']);
    expect(groups[1]?.members.map(({ member: id }) => id)).toEqual(['b/two', 'b/one']);
    expect(groups.map(({ well }) => well)).toEqual([0, 1, 0, 1]);
  });
});

test.each([
  ['ONE alive', true],
  ['i-0a', true],
  ['eu-west-1a one', true],
  ['dead', false],
  ['one dead', false],
  ['', true],
])('the search %s finds db/one: %s', (search, found) => expect(matches(one, search)).toBe(found));

test('a tile says every condition in words, the verdict first', () => {
  const all = { recovery: 'op', hold, paused: 'global', degraded: true, readinessProblems: 1 };
  expect(labelsOf(member('db/one', all))).toEqual(['alive', 'recovering', 'held', 'paused', 'degraded', 'not ready']);
  expect(matches(member('db/one', { hold }), 'cooldown')).toBe(true);
});
