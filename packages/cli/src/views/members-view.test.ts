import { expect, it } from 'vitest';
import { memberOf as member } from '../member.fixtures.ts';
import { membersText } from './members-view.ts';

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

it('says which service fails from where, also when it passes from elsewhere', () => {
  const service = {
    state: 'failing',
    probe: 'tcp-5432',
    reason: 'Timeout',
    sinceWallMs: 1,
    passedBefore: true,
  } as const;
  const passing = { ...service, state: 'passing', probe: '', reason: 'Passing', warning: null } as const;
  const said = (observer: string, more: object) => ({
    ...({ observer, az: 'us-east-1a', verdict: 'alive', reason: 'Heard' } as const),
    service: { ...service, warning: null, ...more },
  });
  const text = membersText([
    member({ opinions: [said('c1', {}), said('c2', {}), said('c3', { reason: 'Refused' }), said('c4', passing)] }),
  ]);
  expect(text).toContain('tcp-5432 fails from c1, c2: Timeout; tcp-5432 fails from c3: Refused');
  expect(text).not.toContain('c4');
  expect(
    membersText([member({ opinions: [said('c1', { ...passing, warning: 'CertificateExpiresSoon' })] })]),
  ).toContain('CertificateExpiresSoon');
});
