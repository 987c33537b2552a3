import { problemOf, type StatusView } from '@understudy/shared';
import { expect, test } from 'vitest';
import { statusOf } from '../status.fixtures.ts';
import { verdictLine } from './verdict-line.ts';

const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);
const counts = (over: Partial<StatusView['counts']>) => ({ counts: { ...statusOf({}).counts, ...over } });
const hold = { member: 'g/m', reason: 'NotReady', text: 'x', sinceWallMs: NOW - 240_000, untilWallMs: null } as const;

test.each<[string, Partial<StatusView>, string]>([
  ['all well', {}, 'OK  2 members, 2 alive · leader c1 (term 9) · etcd fresh · nothing paused'],
  [
    'paused',
    { pauses: [{ scope: 'group/db', who: 'ann', why: 'x' }] },
    'OK  2 members, 2 alive · leader c1 (term 9) · etcd fresh · paused: group/db by ann',
  ],
  [
    'a hold',
    { ...counts({ held: 1 }), holds: [hold] },
    'HOLD  1 of 2: g/m: NotReady, since 4 min → understudy explain g/m',
  ],
  [
    'a hold and a problem',
    { ...counts({ held: 1 }), holds: [hold], problems: [problemOf('STORE_NOT_COMPACTED', 'x')] },
    'HOLD  1 of 2: g/m: NotReady, since 4 min → understudy explain g/m (and 1 problem, below)',
  ],
  ['a problem', { problems: [problemOf('STORE_NOT_COMPACTED', 'old')] }, 'PROBLEM  STORE_NOT_COMPACTED: old'],
  ['suspicion', counts({ alive: 1, suspect: 1 }), 'UNDER WAY  1 suspect of 2 → understudy members'],
  [
    'a leader that is new',
    { judgement: { standing: 'last', by: 'c3', term: 8, ageMs: 5 } },
    'UNDER WAY  c1 leads and has not judged yet → understudy members',
  ],
  [
    'nobody leads',
    { leader: null, judgement: { standing: 'last', by: 'c3', term: 8, ageMs: 5 } },
    'NO LEADER  nobody judges, nothing is recovered · etcd fresh; last judgement of c3',
  ],
  [
    'etcd is silent',
    { store: { fresh: false, lastContactAgoMs: 60_000 } },
    'ETCD SILENT  c2 heard etcd 1 min 0 s ago: nothing is recovered, and what follows is old',
  ],
])('%s', (_, over, line) => expect(verdictLine(statusOf(over), NOW)).toBe(line));

test('a recovery is named with its step', () => {
  const recovery: StatusView['recoveries'][number] = {
    ...{ opId: 'op-1', member: 'g/m', oldInstanceId: 'i-1', newInstanceId: null, reason: 'silent' },
    ...{ startedAtWallMs: NOW - 9_000, lastHeardWallMs: null, activity: 'asks EC2', hold: null },
    steps: [{ step: 'fence', state: 'started', startedAtWallMs: NOW - 3_000, endedAtWallMs: null }],
    captureProgressPercent: null,
  };
  expect(verdictLine(statusOf({ ...counts({ recovering: 1 }), recoveries: [recovery] }), NOW)).toBe(
    'RECOVERING  1 of 2: g/m: fence started, for 3.0 s: asks EC2 → understudy recoveries',
  );
});
