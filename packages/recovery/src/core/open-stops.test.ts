import { describe, expect, test } from 'vitest';
import { hasLanded, isStopOpen, type StopsSeen } from './open-stops.ts';

const BY_A_CALL = 'Client.UserInitiatedShutdown';
const stopped = { state: 'stopped', stateReasonCode: BY_A_CALL } as const;
const stops = (over: Partial<StopsSeen>): StopsSeen => ({
  ...{ sent: 1, answered: 1, taken: true, landedBefore: false, seen: stopped },
  ...over,
});

describe('isStopOpen: may a stop of ours land yet?', () => {
  test.each<[string, Partial<StopsSeen>, boolean]>([
    ['every one was answered', {}, false],
    ['two were, one of them with a refusal', { sent: 2, answered: 2 }, false],
    ['one has no answer, and was never seen to work', { sent: 2 }, true],
    ['one of a leader before, which was seen to work', { sent: 2, landedBefore: true }, false],
    ['two of leaders before, and one was seen to work', { sent: 3, landedBefore: true }, true],
    ['the only one has no answer, and the instance is stopped', { answered: 0, taken: false }, false],
    ['two have none, and it is stopped: one of them has done it', { sent: 2, answered: 0, taken: false }, true],
    ['one was refused, one has no answer, and it is stopped', { sent: 2, answered: 1, taken: false }, false],
    [
      'the only one has no answer, and it has shut itself down',
      { answered: 0, taken: false, seen: { ...stopped, stateReasonCode: 'Client.InstanceInitiatedShutdown' } },
      true,
    ],
    [
      'the only one has no answer, and EC2 gives no reason',
      { answered: 0, taken: false, seen: { ...stopped, stateReasonCode: null } },
      true,
    ],
  ])('%s: %s', (_, over, want) => expect(isStopOpen(stops(over), false)).toBe(want));

  test('one without an answer, of an instance that was down before: nothing shows that it worked', () =>
    expect(isStopOpen(stops({ answered: 0, taken: false }), true)).toBe(true));
});

describe('hasLanded: does the look show a stop that was asked for?', () => {
  test.each([
    ['stopping', false, true],
    ['stopping', true, true],
    ['stopped', false, true],
    ['stopped', true, false],
    ['running', false, false],
    ['terminated', false, false],
  ] as const)('%s, down before: %s → %s', (state, wasDown, want) =>
    expect(hasLanded({ state, stateReasonCode: BY_A_CALL }, wasDown)).toBe(want),
  );
});
