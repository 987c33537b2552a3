import type { HoldRecord, IntentRecord, JournalRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { openRecoveryView } from './open-recovery-view.ts';

const intent = {
  opId: 'op-1',
  member: 'db/a',
  oldInstanceId: 'i-1',
  reason: 'dead',
  startedAtWallMs: 1,
  lastHeardWallMs: null,
  plan: {
    ...{ strategy: 'reboot', policy: { recover: { strategy: 'snapshot-and-replace' } } },
    ladder: [{ rung: 'reboot', said: 'taken', why: 'it answers' }],
    volumes: [{ volumeId: 'vol-1', deviceName: '/dev/xvda' }],
  },
};
const record = (
  step: string,
  state: JournalRecord['state'],
  at: number,
  more: Partial<JournalRecord> = {},
): JournalRecord => ({
  ...{ schemaVersion: 1, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 0, opId: 'op-1', term: 1 },
  ...{
    step,
    state,
    startedAtWallMs: at,
    endedAtWallMs: state === 'started' ? null : at + 1,
    request: null,
    result: null,
    error: null,
  },
  ...more,
});
const failing = {
  ...{ action: 'RunInstances', code: 'InsufficientInstanceCapacity', httpStatus: 500, text: 'none left' },
  ...{ count: 7, sinceWallMs: 30, nextTryWallMs: 90 },
};

describe('an open recovery', () => {
  const journal = [
    record('launch-2', 'started', 30),
    record('fence', 'done', 10),
    record('launch-1', 'failed', 20, { error: { code: 'InsufficientInstanceCapacity', text: 'EC2 has none' } }),
  ];
  const activity = {
    text: 'launching the replacement',
    captureProgressPercent: null,
    steps: [
      { step: 'launch-2', sinceWallMs: 31, text: 'launching the replacement', failing },
      { step: 'permit-3', sinceWallMs: 40, text: '', failing: null },
    ],
  };
  const view = (hold: HoldRecord | null = null) =>
    openRecoveryView({ intent: intent as unknown as IntentRecord, journal, activity, hold, request: null });

  test('shows each step in the order they began, with attempt, words and what keeps failing', () =>
    expect(view().steps).toMatchObject([
      { step: 'fence', state: 'done', attempt: null, text: null, failing: null },
      { step: 'launch-1', state: 'failed', attempt: 1, text: 'EC2 has none', failing: null },
      { step: 'launch-2', state: 'started', attempt: 2, text: 'launching the replacement', failing },
      { step: 'permit-3', state: 'started', startedAtWallMs: 40, endedAtWallMs: null, attempt: 3, text: null },
    ]));
  test('is told from the journal alone where it is not carried out', () => {
    const told = openRecoveryView({
      intent: intent as unknown as IntentRecord,
      journal,
      activity: null,
      hold: null,
      request: null,
    });
    expect(told.activity).toBeNull();
    expect(told.steps.map((one) => [one.step, one.failing])).toEqual([
      ['fence', null],
      ['launch-1', null],
      ['launch-2', null],
    ]);
  });
  test('shows each disk with what becomes of it', () =>
    expect(view().volumes).toEqual([{ volumeId: 'vol-1', deviceName: '/dev/xvda', path: 'stays', why: '' }]));
  test('shows its way, and how long each may take', () =>
    expect(view()).toMatchObject({ strategy: 'reboot', rungs: [{ rung: 'reboot', deadlineMs: 300_000 }] }));
  test('shows its hold', () =>
    expect(view({ reason: 'NoCapacity', text: 'later' } as unknown as HoldRecord).hold).toEqual({
      reason: 'NoCapacity',
      text: 'later',
    }));
});
