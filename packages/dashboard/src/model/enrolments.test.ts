import type { EnrolmentsView } from '@understudy/shared/browser';
import { expect, test } from 'vitest';
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

test('and nothing where nobody enrols, nobody tried, or it is not known yet', () => {
  expect(enrolmentOf(view({}), 'db/three')).toBeNull();
  expect(enrolmentOf(view({ enabled: false }), 'db/one')).toBeNull();
  expect(enrolmentOf(null, 'db/one')).toBeNull();
});
