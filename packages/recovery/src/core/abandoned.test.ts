import { intentRecord, policyWith } from '@understudy/shared/testing';
import type { JournalRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { leftAsTexts } from '../leftover-kind.ts';
import { REGISTERED } from '../registered.ts';
import { type AbandonFacts, abandonedHistoryOf, leftAs } from './abandoned.ts';

const DAY_MS = 86_400_000;
const base = intentRecord('prod/db1', 'i-1', { ordinal: 2 });
const address = { allocationId: 'eipalloc-1', publicIp: '203.0.113.7', associationId: null };
const intent = {
  ...base,
  plan: {
    ...base.plan,
    addresses: [address],
    policy: policyWith({ recover: { retainCaptureForMs: 3 * DAY_MS, retainForMs: 9 * DAY_MS } }, base.plan.policy),
  },
};
const act = {
  ...{ kind: 'abandon' as const, by: 'ann', why: 'not worth it' },
  ...{ atWallMs: 90, carriedOutAtWallMs: 100, text: 'abandoned' },
};
const facts = (over: Partial<AbandonFacts> = {}): AbandonFacts => ({
  ...{ intent, records: [], term: 4, endedAtWallMs: 100, act, fencedBy: null, stopSent: false, unprotected: false },
  ...{ launchAttempts: 0, artefacts: [], artefactTexts: [], permitId: null, replacementId: null, predecessor: null },
  ...{ lateCalls: [], ...over },
});

const ARTEFACTS = [
  { kind: 'image', id: 'ami-1' },
  { kind: 'snapshot', id: 'snap-1' },
  { kind: 'snapshot', id: 'snap-2' },
];
const MADE = { artefacts: ARTEFACTS, artefactTexts: leftAsTexts(ARTEFACTS, REGISTERED.leftovers) };

describe('how an abandoned recovery says that everything was left', () => {
  test.each<[string, Partial<AbandonFacts>, string]>([
    ['stopped by us', { fencedBy: 'stopped' }, 'i-1 is stopped, by us; start it and it serves again'],
    ['terminated', { fencedBy: 'terminated' }, 'i-1 is terminated'],
    [
      'waited out',
      { fencedBy: 'lease' },
      'i-1 was not seen stopped, and the stop may still take effect; its serve lease has run out',
    ],
    ['asked to stop', { stopSent: true }, 'i-1 was asked to stop and not seen stopped: the stop may still take effect'],
    ['left alone', {}, 'i-1 was not touched'],
  ])('an instance that was %s', (_, over, text) => {
    expect(leftAs(facts(over))[0]).toBe(text);
  });

  test('names all that stays, and nothing that is not there', () => {
    const all = { ...MADE, permitId: 'eni-1', replacementId: 'i-2' };
    const text = leftAs(facts({ ...all, unprotected: true })).join('\n');
    for (const part of ['ami-1', 'snap-1, snap-2', 'eni-1', 'i-2', 'stop protection', '203.0.113.7 (eipalloc-1)'])
      expect(text).toContain(part);
    expect(leftAs(facts())).toEqual(['i-1 was not touched', '203.0.113.7 (eipalloc-1) was not moved']);
  });
});

describe('what stays of an abandoned recovery', () => {
  const history = abandonedHistoryOf(facts(MADE));

  test('image and snapshots are collected when their time has come, and the old instance never', () => {
    const afterWallMs = 100 + 3 * DAY_MS;
    expect(history.leftovers).toEqual([
      { kind: 'image', id: 'ami-1', afterWallMs, obstacle: null },
      { kind: 'snapshot', id: 'snap-1', afterWallMs, obstacle: null },
      { kind: 'snapshot', id: 'snap-2', afterWallMs, obstacle: null },
    ]);
    expect(abandonedHistoryOf(facts()).leftovers).toEqual([]);
  });

  test('it replaced nobody, and says who ended it and why', () => {
    expect(history).toMatchObject({ outcome: 'abandoned', oldInstanceId: 'i-1', newInstanceId: null, ordinal: 2 });
    expect(history.reason).toContain('abandoned by ann: not worth it');
    expect(history.acts).toEqual([act]);
    expect(history.owed).toEqual([]);
  });

  test('it has the zone of the intent where that has one, when its instance was launched, and how often the leader changed', () => {
    const told = { ...intent, oldAz: 'az-a', term: 2, plan: { ...intent.plan, oldLaunchedAtWallMs: 7 } };
    expect(abandonedHistoryOf(facts({ intent: told, term: 4 }))).toMatchObject({
      ...{ oldAz: 'az-a', oldLaunchedAtWallMs: 7, leaderChanges: 1, ordinal: 2 },
    });
    const record = (term: number) => ({ term, step: 'fence', startedAtWallMs: 1 }) as JournalRecord;
    const changed = facts({ intent: told, term: 4, records: [record(5), record(6), record(6)] });
    expect(abandonedHistoryOf(changed).leaderChanges).toBe(3);
    const plain = abandonedHistoryOf(facts({ intent: base, term: base.term }));
    expect(plain).toMatchObject({ oldLaunchedAtWallMs: null, leaderChanges: 0, oldAz: base.oldAz });
  });

  test('earlier acts come first', () => {
    const retry = { ...act, kind: 'retry' as const };
    expect(abandonedHistoryOf(facts({ intent: { ...intent, acts: [retry] } })).acts).toEqual([retry, act]);
  });
});
