import { intentRecord, joinedChanges, type PolicyChange, policyWith, WRITTEN } from '@understudy/shared/testing';
import type { IntentRecord, JournalRecord, OwedChore, PlannedVolume } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { type ClosingFacts, historyOf, stepsOf } from './history.ts';

const DAY_MS = 86_400_000;
const POLICY = { recover: { retainForMs: 7 * DAY_MS, retainCaptureForMs: 3 * DAY_MS, retainVolumesForMs: null } };
const base = intentRecord('prod/db1', 'i-1', { term: 3, startedAtWallMs: 50, lastHeardWallMs: 40 });
const intent = (over: Partial<IntentRecord> = {}, policy: PolicyChange = {}): IntentRecord => ({
  ...base,
  plan: { ...base.plan, policy: policyWith(joinedChanges(POLICY, policy), base.plan.policy) },
  ...over,
});
const record = (step: string, over: Partial<JournalRecord> = {}): JournalRecord => ({
  ...WRITTEN,
  ...{ opId: base.opId, step, state: 'done', term: 3, startedAtWallMs: 60, endedAtWallMs: 70 },
  ...{ request: null, result: null, error: null },
  ...over,
});
const volume = (volumeId: string, deleteOnTermination: boolean) => ({ volumeId, deleteOnTermination }) as PlannedVolume;
const ARTEFACTS = [
  { kind: 'image', id: 'ami-1' },
  { kind: 'snapshot', id: 'snap-1' },
  { kind: 'snapshot', id: 'snap-2' },
];
const closed = (over: Partial<ClosingFacts> = {}) =>
  historyOf({
    ...{ intent: intent(), records: [], term: 3, endedAtWallMs: 1_000, newInstanceId: 'i-2', newIncarnation: 2 },
    ...{ fencedBy: 'stopped', launchAttempts: 1, artefacts: ARTEFACTS, volumes: [] },
    ...{
      owed: [],
      moved: [],
      lateCalls: [],
      stopIsOpen: false,
      predecessorEnded: false,
      disksOutlive: false,
      heardAtTheEnd: true,
      serviceFaultAtTheEnd: null,
    },
    ...over,
  });

describe('what stays of a recovery', () => {
  test('names who replaced whom, when, and how the old one was fenced', () =>
    expect(closed()).toMatchObject({
      ...{ opId: base.opId, member: 'prod/db1', outcome: 'replaced', reason: 'dead', fencedBy: 'stopped' },
      ...{ oldInstanceId: 'i-1', newInstanceId: 'i-2', newIncarnation: 2, launchAttempts: 1 },
      ...{ startedAtWallMs: 50, endedAtWallMs: 1_000, lastHeardWallMs: 40 },
    }));
  test('has ordinal and zone of the intent, and the launch time of its plan', () => {
    expect(closed({ intent: intent({ ordinal: 2, oldAz: 'az-a' }) })).toMatchObject({ ordinal: 2, oldAz: 'az-a' });
    const plan = { ...base.plan, oldLaunchedAtWallMs: 7 };
    expect(closed({ intent: intent({ plan }) })).toMatchObject({ ordinal: 0, oldLaunchedAtWallMs: 7 });
    expect(closed()).toMatchObject({ oldLaunchedAtWallMs: null });
  });
  test('counts the changes of leader, each term once', () => {
    expect(closed().leaderChanges).toBe(0);
    const records = [record('fence', { term: 3 }), record('capture', { term: 5 }), record('image', { term: 6 })];
    expect(closed({ records, term: 9 }).leaderChanges).toBe(3);
    expect(closed({ records: [...records, ...records], term: 6 }).leaderChanges).toBe(2);
  });
  test('says with what doubts it was closed', () => {
    expect(closed({ heardAtTheEnd: false }).reason).toBe('dead; the replacement was silent when this was closed');
    expect(closed({ serviceFaultAtTheEnd: 'tcp-80: Refused' }).reason).toBe(
      'dead; its services did not pass when this was closed (tcp-80: Refused)',
    );
  });
  test('has what is owed', () => {
    const owed = [{ chore: { kind: 'protect' } }] as unknown as OwedChore[];
    expect(closed({ owed }).owed).toEqual(owed);
  });
});

describe('what was lost on the way', () => {
  test('is what an operator gave up, and addresses that were released', () => {
    const records = [
      record('address-a', { result: { lost: 'a does not exist any more' } }),
      record('address-b', { result: { associationId: 'as-1' } }),
      record('fence'),
    ];
    expect(closed({ intent: intent({ acceptedLosses: ['volume:vol-1'] }), records }).losses).toEqual([
      { code: 'AcceptedLoss', text: 'given up: volume:vol-1' },
      { code: 'AddressReleased', text: 'a does not exist any more' },
    ]);
  });
  test('is not mentioned when it is nothing, nor are acts that nobody did', () => {
    const plain = closed({ records: [record('fence')] });
    expect(plain).not.toHaveProperty('losses');
    expect(plain).not.toHaveProperty('acts');
    const acts = [{ kind: 'retry', by: 'ann' }] as unknown as NonNullable<IntentRecord['acts']>;
    expect(closed({ intent: intent({ acts }) }).acts).toEqual(acts);
  });
});

describe('what the collector has to remove', () => {
  const left = (policy: PolicyChange = {}) =>
    closed({ intent: intent({}, policy), volumes: [volume('vol-1', true), volume('vol-2', false)] }).leftovers;
  test('the old instance, image and snapshots, each after its time', () =>
    expect(left().slice(0, 4)).toEqual([
      { kind: 'instance', id: 'i-1', afterWallMs: 1_000 + 7 * DAY_MS, obstacle: null },
      { kind: 'image', id: 'ami-1', afterWallMs: 1_000 + 3 * DAY_MS, obstacle: null },
      { kind: 'snapshot', id: 'snap-1', afterWallMs: 1_000 + 3 * DAY_MS, obstacle: null },
      { kind: 'snapshot', id: 'snap-2', afterWallMs: 1_000 + 3 * DAY_MS, obstacle: null },
    ]));
  test('data volumes that outlive the old instance never, unless the policy names a time', () => {
    expect(left().slice(4)).toEqual([{ kind: 'volume', id: 'vol-2', afterWallMs: null, obstacle: null }]);
    expect(left({ recover: { retainVolumesForMs: DAY_MS } }).slice(4)).toMatchObject([{ afterWallMs: 1_000 + DAY_MS }]);
  });
});

test('steps stand in the order they began; `done` ends with the record it is written in', () => {
  const records = [
    record('done', { state: 'started', startedAtWallMs: 90, endedAtWallMs: null }),
    record('launch-1', { state: 'failed', startedAtWallMs: 80 }),
    record('fence'),
  ];
  expect(stepsOf({ records, endedAtWallMs: 1_000 })).toEqual([
    { step: 'fence', state: 'done', startedAtWallMs: 60, endedAtWallMs: 70 },
    { step: 'launch-1', state: 'failed', startedAtWallMs: 80, endedAtWallMs: 70 },
    { step: 'done', state: 'done', startedAtWallMs: 90, endedAtWallMs: 1_000 },
  ]);
});
