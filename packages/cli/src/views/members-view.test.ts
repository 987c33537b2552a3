import type { MemberView } from '@understudy/shared';
import { expect, it } from 'vitest';
import { membersText } from './members-view.ts';

const member = (more: Partial<MemberView>): MemberView => ({
  member: 'db/primary',
  instanceId: 'i-1',
  incarnation: 1,
  az: 'us-east-1a',
  verdict: 'alive',
  reason: 'heard 300 ms ago',
  degraded: false,
  lastHeardAgoMs: 300,
  opinions: [],
  checks: [],
  hold: null,
  recovery: null,
  readinessProblems: [],
  ...more,
});

it('tells a newcomer how to get members when there are none', () =>
  expect(membersText([])).toContain('understudy:group'));

it('explains every member that is not simply alive', () => {
  const text = membersText([
    member({}),
    member({ member: 'db/standby', verdict: 'suspect', reason: 'silent for 6 s at 3 observers' }),
  ]);
  expect(text).toContain('db/standby: silent for 6 s at 3 observers');
  expect(text).not.toContain('db/primary: heard');
});

it('shows a hold with its reason and text', () => {
  const hold = {
    reason: 'MassFailure',
    text: '4 of 6 members suspect, limit 3',
    sinceWallMs: 1,
    untilWallMs: null,
  } as const;
  const text = membersText([member({ verdict: 'dead', hold })]);
  expect(text).toContain('held: MassFailure');
  expect(text).toContain('4 of 6 members suspect, limit 3');
});

it('shows the code of a failing check', () => {
  expect(membersText([member({ checks: [{ name: 'storage', status: 'fail', code: 'readOnly' }] })])).toContain(
    'storage: readOnly',
  );
});
