import { describe, expect, it, test } from 'vitest';
import { headline } from './headline.ts';
import { hold, member, statusOf, viewOf } from './fleet.fixtures.ts';

const lineOf = (...members: Parameters<typeof viewOf>[0]) => headline(viewOf(members), statusOf());
const dead = { verdict: 'dead' } as const;

describe('the line that is read first', () => {
  test.each([
    [[member('db/one')], 'well', 'The one member is alive'],
    [[member('db/one'), member('db/two')], 'well', 'All 2 members are alive'],
    [[], 'unknown', 'No members are enrolled yet'],
    [[member('db/one', dead)], 'bad', 'db/one is dead and not being replaced'],
    [[member('db/one', { ...dead, recovery: 'op' })], 'busy', 'db/one is being replaced'],
    [[member('db/one', { ...dead, recovery: 'op', strategy: 'reattach' })], 'busy', 'db/one is being replaced'],
    [[member('db/one', { ...dead, recovery: 'op', strategy: 'reboot' })], 'busy', 'db/one is being rebooted'],
    [
      [
        member('db/one', { ...dead, recovery: 'op', strategy: 'stop-start' }),
        member('db/two', { ...dead, recovery: 'op', strategy: 'stop-start' }),
        member('db/six', { ...dead, recovery: 'op', strategy: 'snapshot-and-replace' }),
      ],
      'busy',
      'db/one and db/two are being stopped and started; db/six is being replaced',
    ],
    [
      [member('db/one', { recovery: 'op', strategy: 'undo' })],
      'busy',
      'db/one is being put back on the retired instance',
    ],
    [[member('db/one', { ...dead, recovery: 'op', hold })], 'bad', 'db/one is held'],
    [
      [member('db/one', { verdict: 'suspect' }), member('db/two', { verdict: 'suspect' })],
      'warning',
      'db/one and db/two are suspect',
    ],
    [[member('db/one', { verdict: 'unknown' })], 'unknown', 'db/one is unknown'],
    [
      [member('db/one'), member('db/two', { verdict: 'left' })],
      'well',
      '1 of 2 members is alive, 1 stopped on purpose',
    ],
    [[member('db/one', { degraded: true })], 'warning', 'db/one is degraded'],
    [
      [member('db/one'), member('db/two', { readinessProblems: 2 })],
      'warning',
      'All 2 members are alive; 1 could not be replaced now',
    ],
  ] as const)('%#: %s %s', (members, tone, text) => {
    expect(lineOf(...members)).toMatchObject({ tone, text });
  });

  it('begins with the worst, and counts what it does not name', () => {
    const many = Array.from({ length: 5 }, (_, index) => member(`db/m${index}`, dead));
    const line = lineOf(
      ...many,
      member('a/a', { degraded: true }),
      member('a/b', { verdict: 'suspect' }),
      member('a/c', { verdict: 'unknown' }),
      member('a/d', { ...dead, recovery: 'op' }),
    );
    expect(line.text).toBe(
      '5 of 9 members are dead and not being replaced; a/d is being replaced; a/b is suspect; 2 more concerns',
    );
    expect(line.tone).toBe('bad');
  });

  it('is bad while nobody leads, however alive all are', () => {
    const view = viewOf([member('db/one')]);
    const line = headline({ ...view, observers: view.observers.map((one) => ({ ...one, leader: false })) }, statusOf());
    expect(line).toMatchObject({ tone: 'bad', text: 'Nobody leads: nothing is judged or replaced' });
    expect(line.facts[0]).toBe('no leader');
  });

  it('says that coordinators do not answer, that etcd is not reached, and what is paused', () => {
    const view = viewOf([member('db/one')], { store: { fresh: false, lastContactAgoMs: 9_000 } });
    const [first, second, ...rest] = view.observers;
    const silent = second ? [{ ...second, problem: 'timeout' }] : [];
    const told = headline(
      { ...view, observers: [...(first ? [first] : []), ...silent, ...rest] },
      statusOf({ pauses: [{ scope: 'global', who: 'ann', why: 'work' }] }),
    );
    expect(told.facts).toEqual([
      'c2 leads, term 7',
      '2 of 3 coordinators answer',
      'etcd is not reached',
      '1 pause in force',
    ]);
  });

  it('is a warning when all are alive and there is a problem', () => {
    const problems = [{ code: 'X', text: 'x', remedy: 'none' }];
    expect(headline(viewOf([member('db/one')]), statusOf({ problems })).tone).toBe('warning');
  });
});
