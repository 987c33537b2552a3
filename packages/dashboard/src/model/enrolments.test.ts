import type { EnrolmentsView } from '@understudy/shared/browser';
import { expect, test } from 'vitest';
import { bodyOf, resetEnrolmentAct } from './commands.ts';
import { enrolmentOf } from './enrolments.ts';

const given = (member: string): EnrolmentsView['enrolments'][number] => ({
  ...{ member, instanceId: 'i-1', address: '10.0.0.7', publicKey: 'AbCd', keyId: 1 },
  ...{ opId: null, atWallMs: 0, revision: 1, activated: true },
});
const refused = (member: string, lastWallMs: number): EnrolmentsView['refused'][number] => ({
  ...{ member, instanceId: null, address: '10.9.9.9', reason: 'AddressForeign', text: 'x', count: 1, lastWallMs },
});
const view = (over: Partial<EnrolmentsView>): EnrolmentsView => ({
  ...{ enabled: true, enrolments: [given('db/one')], refused: [refused('db/two', 1), refused('db/two', 2)] },
  ...over,
});

test('a member’s page has who was given its key, and who was refused, the newest first', () => {
  expect(enrolmentOf(view({}), 'db/one')).toEqual({ given: given('db/one'), refused: [] });
  expect(enrolmentOf(view({}), 'db/two')?.refused.map(({ lastWallMs }) => lastWallMs)).toEqual([2, 1]);
});

test('a reset means the very enrolment that its form has shown, and there is none without one', () => {
  const act = resetEnrolmentAct('db/one');
  const shown = act.look?.shown(view({ enrolments: [{ ...given('db/one'), revision: 41 }, given('db/two')] }));
  expect(shown).toMatchObject({ names: { revision: 41 }, obstacle: null });
  expect(shown?.lines.join()).toMatch(/^i-1 was given it at 10\.0\.0\.7/);
  const answers = { reason: 'its disk was made anew', untilWallMs: null, who: 'ann' };
  expect(bodyOf(act, answers, shown?.names ?? {})).toEqual({ revision: 41, reason: 'its disk was made anew' });
  expect([act.path, act.typed, act.group]).toEqual(['/v1/enrolments/db/one/reset', 'db/one', 'db']);
  expect(act.look?.shown(view({ enrolments: [] }))).toMatchObject({ names: {}, obstacle: /no instance/ });
});

test('and nothing where nobody enrols, nobody tried, or it is not known yet', () => {
  expect(enrolmentOf(view({}), 'db/three')).toBeNull();
  expect(enrolmentOf(view({ enabled: false }), 'db/one')).toBeNull();
  expect(enrolmentOf(null, 'db/one')).toBeNull();
});
