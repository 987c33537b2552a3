import { intentRecord } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { type InPlaceFacts, inPlaceHistoryOf } from './in-place.ts';

const intent = intentRecord('prod/db1', 'i-1', { ordinal: 2 });
const facts = (over: Partial<InPlaceFacts> = {}): InPlaceFacts => ({
  ...{ intent, records: [], term: 4, endedAtWallMs: 100, outcome: 'not-mended', why: 'silent for 5 min' },
  ...{ fencedBy: null, launchAttempts: 0, artefacts: [], losses: [], leftAs: [], lateCalls: [], ...over },
});

test('the instance stays: no new one, no new incarnation, nothing to be retired', () => {
  const history = inPlaceHistoryOf(facts({ artefacts: [{ kind: 'snapshot', id: 'snap-1' }] }));
  expect(history).toMatchObject({
    ...{ outcome: 'not-mended', strategy: intent.plan.strategy, oldInstanceId: 'i-1', ordinal: 2 },
    ...{ newInstanceId: null, newIncarnation: null, owed: [] },
    reason: `${intent.reason}; silent for 5 min`,
  });
  expect(history.leftovers.map((one) => [one.kind, one.id])).toEqual([['snapshot', 'snap-1']]);
  expect([history.losses, history.leftAs]).toEqual([undefined, undefined]);
});

test('what was lost on the way stands beside what was given up, and how everything was left', () => {
  const lossy = { ...intent, acceptedLosses: ['volume:vol-1'] };
  const history = inPlaceHistoryOf(
    facts({ intent: lossy, losses: [{ code: 'InstanceStore', text: 'ephemeral0' }], leftAs: ['i-1 is stopped'] }),
  );
  expect(history.losses?.map((one) => one.code)).toEqual(['InstanceStore', 'AcceptedLoss']);
  expect(history.leftAs).toEqual(['i-1 is stopped']);
});
