import { problemOf, type StatusView } from '@understudy/shared';
import { expect, test } from 'vitest';
import { HEALTH_EXIT, healthOf } from './health.ts';
import { statusOf } from './status.fixtures.ts';

const counts = (over: Partial<StatusView['counts']>) => ({ counts: { ...statusOf({}).counts, ...over } });
const hold = { member: 'g/m', reason: 'NotReady', text: 'x', sinceWallMs: 1, untilWallMs: null } as const;

test.each<[string, Partial<StatusView>, number]>([
  ['all alive', {}, 0],
  ['one stopped by an operator', counts({ left: 1, alive: 1 }), 0],
  ['paused, and all alive', { pauses: [{ scope: 'global', who: 'ann', why: 'x' }] }, 0],
  ['a recovery', counts({ recovering: 1 }), 2],
  ['a member that is suspect', counts({ suspect: 1 }), 2],
  ['a member that is dead', counts({ dead: 1 }), 2],
  ['a member nobody knows of', counts({ unknown: 1 }), 2],
  ['a problem that passes by itself', { problems: [problemOf('NotRunningYet', 'x')] }, 2],
  ['a hold', { holds: [hold] }, 3],
  ['a held member', counts({ held: 1 }), 3],
  ['a problem', { problems: [problemOf('STORE_NOT_COMPACTED', 'x')] }, 3],
  ['a recovery and a hold', { ...counts({ recovering: 1 }), holds: [hold] }, 3],
  ['nobody leads', { leader: null }, 4],
  ['nobody leads, and a hold', { leader: null, holds: [hold] }, 4],
  ['etcd does not answer', { store: { fresh: false, lastContactAgoMs: 60_000 } }, 4],
  ['a leader that has not judged yet', { judgement: { standing: 'last', by: 'c1', term: 1, ageMs: 5 } }, 2],
])('%s', (_, over, code) => {
  expect(HEALTH_EXIT[healthOf(statusOf(over))]).toBe(code);
});
