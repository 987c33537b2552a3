import { type OpenRecoveryView, type PendingRequest, problemOf } from '@understudy/shared';
import { expect, test } from 'vitest';
import { statusOf } from '../status.fixtures.ts';
import { recoveriesText } from './recoveries-view.ts';
import { statusText } from './status-view.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);

const RECOVERY: OpenRecoveryView = {
  ...{ opId: 'op-1', member: 'g/m', oldInstanceId: 'i-1', newInstanceId: null, reason: 'silent everywhere' },
  ...{ startedAtWallMs: NOW - 60_000, lastHeardWallMs: null, activity: 'asks for an instance' },
  steps: [
    { step: 'fence', state: 'done', startedAtWallMs: NOW - 60_000, endedAtWallMs: NOW - 50_000 },
    {
      ...{ step: 'launch-2', state: 'started', startedAtWallMs: NOW - 30_000, endedAtWallMs: null, attempt: 2 },
      failing: {
        ...{ action: 'RunInstances', code: 'InsufficientInstanceCapacity', httpStatus: 500, text: 'no capacity' },
        ...{ count: 4, sinceWallMs: NOW - 20_000, nextTryWallMs: NOW + 5_000 },
      },
    },
  ],
  captureProgressPercent: 40,
  hold: null,
};

test('problems and holds come first, each with what to do', () => {
  const holds = [{ member: 'g/m', reason: 'Protected', text: 'tagged', sinceWallMs: 1, untilWallMs: null }] as const;
  const lines = statusText(
    statusOf({ problems: [problemOf('STORE_UNAVAILABLE', 'no answer')], holds: [...holds] }),
    NOW,
  ).split('\n');
  expect(lines[0]).toContain('HOLD  1 of 2: g/m: Protected');
  expect(lines[2]).toContain('STORE_UNAVAILABLE: no answer');
  expect(lines[3]).toContain('→ check the etcd members');
  expect(lines[4]).toContain('g/m: Protected: tagged');
  expect(lines[5]).toContain('→ take the tag away');
});

test('without a leader nobody is called a leader, and the verdicts are the last ones', () => {
  const text = statusText(
    statusOf({
      leader: null,
      judgement: { standing: 'last', by: 'c1', term: 9, ageMs: 42_000 },
      coordinators: [
        { coordinatorId: 'c2', az: 'b', httpUrl: 'http://x', leader: false, version: 'test', featureLevel: 1 },
      ],
    }),
    NOW,
  );
  expect(text).toContain('no leader judges now; last judgement of c1, 42.0 s old');
  expect(text).toMatch(/leader +none/);
  expect(text).not.toMatch(/follower|leads/);
});

test('builds beside each other are shown with their levels, and the level in force', () => {
  const coordinator = { az: 'b', httpUrl: 'http://x', leader: false };
  const text = statusText(
    statusOf({
      coordinators: [
        { ...coordinator, coordinatorId: 'c1', version: '1.1.0', featureLevel: 1 },
        { ...coordinator, coordinatorId: 'c2', version: '1.2.0', featureLevel: 2 },
      ],
      featureLevels: { understood: 2, agreed: 1, inForce: 1 },
    }),
    NOW,
  );
  expect(text).toContain('level      1 in force, 1 agreed on, this build understands 2');
  expect(text).toMatch(/c1 +b +\w+ +1\.1\.0 +1 /);
  expect(text).toMatch(/c2 +b +\w+ +1\.2\.0 +2 /);
});

test('an open recovery shows its step, attempt, since when, activity and what keeps failing', () => {
  const status = statusText(statusOf({ recoveries: [RECOVERY] }), NOW);
  expect(status).toContain('g/m (op-1): launch-2 started, attempt 2, for 30.0 s: asks for an instance');
  const text = recoveriesText({ open: [RECOVERY], history: [], requests: [] }, NOW);
  expect(text).toContain(
    'RunInstances failed 4 times in 20.0 s: InsufficientInstanceCapacity: no capacity; next try in 5.0 s',
  );
  expect(text).toMatch(/^fence +done +███ +10\.0 s$/m);
  expect(text).toContain('because    silent everywhere');
  expect(text).toContain('snapshots  40 %');
  expect(recoveriesText({ open: [], history: [], requests: [] }, NOW)).toBe('no recovery is open');
});

test('what an operator asked for is shown once on each screen: what, by whom, why, since when', () => {
  const request: PendingRequest = {
    ...{ member: 'g/m', kind: 'accept-loss', opId: 'op-1', by: 'ann', why: 'the disk is gone', atWallMs: NOW - 12_000 },
    ...{ loss: 'volume:vol-1', leaveOpen: false },
  };
  const line = 'asked      g/m: accept-loss volume:vol-1, by ann 12.0 s ago, not carried out yet: the disk is gone';
  const times = (text: string) => text.split(line).length - 1;
  expect(times(statusText(statusOf({ requests: [request] }), NOW))).toBe(1);
  const open = [{ ...RECOVERY, request }];
  expect(times(recoveriesText({ open, history: [], requests: [request] }, NOW))).toBe(1);
  expect(times(recoveriesText({ open: [], history: [], requests: [request] }, NOW))).toBe(1);
  expect(times(recoveriesText({ open: [], history: [], requests: [] }, NOW))).toBe(0);
});
