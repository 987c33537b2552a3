import { type MemberId, monotonicMs } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import type { GuardAnswer } from '../judge/guard-input.ts';
import type { Judgement } from './assessor.ts';
import { RecoveryDecider, type RecoveryDeciderOptions } from './decider.ts';
import type { WantedHold } from './holds.ts';

const DB1: MemberId = 'prod/db1';
const HOLD: WantedHold = { reason: 'NotReady', text: 'its image is gone', untilWallMs: null };

/** Its guard says what the test wants. */
class ReadyDecider extends RecoveryDecider {
  answer: GuardAnswer = { kind: 'go', gates: [], leaveAz: null };

  override ask(): GuardAnswer {
    return this.answer;
  }
}

const failed = (member: MemberId): Judgement =>
  ({
    ...{ member, instanceId: 'i-1', az: 'az-a', failedSinceWallMs: 1, judgedAtMs: monotonicMs(0) },
    assessment: { act: true, verdict: 'dead', reasonCode: 'Dead', reason: 'dead', quorum: { silentEverywhere: true } },
  }) as unknown as Judgement;

let clock: SimClock;
let view: { revision: number; blockedMembers: () => MemberId[]; records: object };
let decider: ReadyDecider;
beforeEach(() => {
  clock = new SimClock();
  view = { revision: 5, blockedMembers: () => [], records: { history: new Map() } };
  const all = new Map([[DB1, failed(DB1)]]);
  const assessor = { all, of: (member: MemberId) => all.get(member) ?? null };
  decider = new ReadyDecider({
    view,
    assessor,
    clock,
    conflicts: () => new Map(),
  } as unknown as RecoveryDeciderOptions);
});

const chosen = () => decider.pass(8).map((one) => one.member);
const later = (ms: number) => monotonicMs(clock.monotonicMs() + ms);

describe('what was chosen', () => {
  test('is not chosen again while it is being begun', () => {
    expect([chosen(), chosen()]).toEqual([[DB1], []]);
  });

  test('and begun is not chosen again before the view shows the intent', () => {
    chosen();
    decider.ended(DB1, { kind: 'begun', revision: 9 });
    expect(chosen()).toEqual([]);
    view.revision = 9;
    expect(chosen()).toEqual([DB1]);
  });

  test('and refused is held, and tried again when it is time', async () => {
    chosen();
    decider.ended(DB1, { kind: 'refused', hold: HOLD, againAtMs: later(15_000) });
    expect(decider.wantedHolds().get(DB1)).toEqual(HOLD);
    await clock.advance(14_000);
    expect(chosen()).toEqual([]);
    await clock.advance(1_000);
    expect(chosen()).toEqual([DB1]);
    decider.ended(DB1, { kind: 'begun', revision: 9 });
    expect(decider.wantedHolds().size).toBe(0);
  });

  test('and refused for something that passes by itself is no hold', () => {
    chosen();
    decider.ended(DB1, { kind: 'refused', hold: null, againAtMs: later(2_000) });
    expect([decider.wantedHolds().size, chosen()]).toEqual([0, []]);
  });

  test('and moot is due at once, and an earlier refusal stays on show', async () => {
    chosen();
    decider.ended(DB1, { kind: 'refused', hold: HOLD, againAtMs: later(0) });
    expect(chosen()).toEqual([DB1]);
    decider.ended(DB1, { kind: 'moot' });
    expect(decider.wantedHolds().get(DB1)).toEqual(HOLD);
    expect(chosen()).toEqual([DB1]);
  });
});

test('what the guard holds is not chosen, and its hold comes before an earlier refusal', () => {
  chosen();
  decider.ended(DB1, { kind: 'refused', hold: HOLD, againAtMs: later(0) });
  const held = { reason: 'Paused', text: 'paused by a person', untilWallMs: null } as const;
  decider.answer = { kind: 'hold', gates: [], ...held };
  expect(chosen()).toEqual([]);
  expect(decider.wantedHolds().get(DB1)).toEqual(held);
});
