import { OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Call } from './effect.ts';
import { act, addressScript, begun, call, DONE, drive } from './effect.fixtures.ts';
import { cloudError, KEYS, MEMBER, RunRig } from './run.fixtures.ts';

const UNKNOWN = cloudError('CLOUD_OUTCOME_UNKNOWN');
const THROTTLED = cloudError('CLOUD_THROTTLED', 'RequestLimitExceeded');

describe('before a call', () => {
  test('the term must hold for as long as one may take; a late keepalive is waited for', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    rig.remainingMs = 5_000;
    const associate = call('associate');
    const done = begun(run, addressScript([act(associate), DONE]));
    await rig.clock.advance(3_000);
    expect(associate.sends).toEqual([]);
    rig.remainingMs = 5_001;
    await rig.clock.runUntilSettled(done);
    expect(associate.sends).toEqual([1]);
  });

  test('whose term is over nothing is sent', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const associate = call('associate');
    const step = addressScript([
      () => {
        rig.remainingMs = 1_000;
        return act(associate);
      },
      DONE,
    ]);
    rig.clock.setTimer(500, () => (rig.remainingMs = 0));
    await expect(drive(rig, run, step, 10_000)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(associate.sends).toEqual([]);
  });

  test('the term is asked at the last moment: what held a moment ago does not count', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const answers = [true, false];
    Object.assign(run.term, { holdsFor: () => answers.shift() ?? true });
    const associate = call('associate');
    const step = addressScript([act(associate), act(associate), DONE]);
    await drive(rig, run, step);
    expect(associate.sends).toEqual([2]);
    expect(step.asked[1]?.last).toBeNull();
  });

  test('an earlier leader’s calls are counted', async () => {
    const rig = new RunRig();
    const request = { allocationId: 'a1', networkInterfaceId: 'eni-1', associationId: null };
    rig.putStep('address-a1', { request, result: { sends: { associate: 3, other: 2 } } });
    const associate = call('associate');
    await drive(rig, await rig.run(), addressScript([act(associate), DONE]));
    expect(associate.sends).toEqual([4]);
  });

  test('the adapter may ask the term once more, and is cut off with it', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const may: unknown[] = [];
    const probing: Call = {
      name: 'associate',
      run: async (_cloud, { mayStart }) => {
        may.push(mayStart?.());
        rig.remainingMs = 100;
        may.push(mayStart?.());
        rig.remainingMs = 8_400;
      },
    };
    await drive(rig, run, addressScript([act(probing), DONE]));
    expect(may).toEqual([true, false]);
  });
});

describe('the number of a call', () => {
  test('stays the same where EC2 certainly made nothing, and is another one where it may have', async () => {
    const rig = new RunRig();
    const associate = call('associate', [THROTTLED, UNKNOWN, null, THROTTLED, null]);
    const again = act(associate);
    const step = addressScript([again, again, again, again, again, DONE]);
    await drive(rig, await rig.run(), step);
    expect(associate.sends).toEqual([1, 1, 2, 3, 3]);
    expect(rig.step('address-a1')?.state).toBe('done');
  });

  test('is kept for each call by itself', async () => {
    const rig = new RunRig();
    const [one, other] = [call('one', [THROTTLED, null]), call('other')];
    await drive(rig, await rig.run(), addressScript([act(one, other), act(one, other), DONE]));
    expect([one.sends, other.sends]).toEqual([
      [1, 1],
      [1, 2],
    ]);
  });

  test('counts those whose outcome stayed unknown, for the step', async () => {
    const rig = new RunRig();
    const associate = call('associate', [UNKNOWN, THROTTLED, UNKNOWN]);
    const step = addressScript([act(associate), act(associate), act(associate), DONE]);
    await drive(rig, await rig.run(), step);
    expect(step.asked.map(({ last }) => last?.unknownCount)).toEqual([undefined, 1, 1, 2]);
  });

  test('a call that was not sent because the term came too near its end is refused, not unknown', async () => {
    const rig = new RunRig();
    const associate = call('associate', [new OperationError('LEASE_LOST', 'not sent'), null]);
    const step = addressScript([act(associate), act(associate), DONE]);
    await drive(rig, await rig.run(), step);
    expect(step.asked[1]?.last?.error).toMatchObject({ code: 'CLOUD_THROTTLED' });
    expect(associate.sends).toEqual([1, 1]);
  });
});

describe('a call that fails', () => {
  test('because the term has ended ends the step, whatever the cloud makes of it', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const ending: Call = {
      name: 'associate',
      run: () => {
        run.lose();
        return Promise.reject(UNKNOWN);
      },
    };
    const step = addressScript([act(ending), DONE]);
    await expect(drive(rig, run, step)).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(step.asked).toHaveLength(1);
    expect(rig.log.linesOf('recovery.step.failing'), 'it is no failure of EC2').toEqual([]);
  });

  test('by a mistake of ours is no answer of EC2', async () => {
    const rig = new RunRig();
    const broken = call('associate', [new TypeError('ours')]);
    await expect(drive(rig, await rig.run(), addressScript([act(broken), DONE]))).rejects.toThrow('ours');
  });

  test.each([
    ['a throttled call', THROTTLED, true],
    ['a service that is down', cloudError('CLOUD_UNAVAILABLE'), true],
    ['an unknown outcome', UNKNOWN, true],
    ['what EC2 does not know yet', cloudError('CLOUD_NOT_FOUND'), true],
    ['a state that forbids it', cloudError('CLOUD_CONFLICT', 'IncorrectState'), true],
    ['a limit that passes', cloudError('CLOUD_REJECTED', 'ConcurrentSnapshotLimitExceeded'), true],
    ['a refusal for good', cloudError('CLOUD_REJECTED', 'InvalidParameterValue'), false],
    ['a placement without room', cloudError('CLOUD_CAPACITY', 'InsufficientInstanceCapacity'), false],
  ])('%s: a pause before the next look: %s', async (_name, error, pauses) => {
    const rig = new RunRig();
    const asked: number[] = [];
    const step = addressScript([
      act(call('associate', [error])),
      () => {
        asked.push(rig.clock.monotonicMs());
        return DONE;
      },
    ]);
    await drive(rig, await rig.run(), step);
    expect((asked[0] ?? -1) > 0).toBe(pauses);
  });

  test('is told once in the log, until one works', async () => {
    const rig = new RunRig();
    const associate = call('associate', [THROTTLED, THROTTLED, THROTTLED, null, UNKNOWN, null]);
    const again = act(associate);
    await drive(rig, await rig.run(), addressScript([again, again, again, again, again, again, DONE]));
    expect(rig.log.linesOf('recovery.effect.error').map(({ fields }) => fields['error'])).toEqual([
      THROTTLED.message,
      UNKNOWN.message,
    ]);
  });

  test('is shown as failing until it works', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const failing: unknown[] = [];
    const watched = (move: ReturnType<typeof act> | typeof DONE) => () => {
      failing.push(run.activities.get('address-a1')?.failing?.count ?? 0);
      return move;
    };
    const again = act(call('associate', [THROTTLED, cloudError('CLOUD_REJECTED', 'InvalidParameterValue'), null]));
    await drive(rig, run, addressScript([watched(again), watched(again), watched(again), watched(DONE)]));
    expect(failing).toEqual([0, 1, 2, 0]);
  });
});

describe('a denial', () => {
  const DENIED = cloudError('CLOUD_DENIED', 'UnauthorizedOperation');
  const [other, denied] = [call('other'), call('associate', [DENIED])];

  test.each([
    ['a call the recovery needs', [denied]],
    ['one of several calls', [other, denied]],
    ['a call it needs beside one that it does not', [{ ...denied, optional: true }, other]],
  ] as const)('of %s is for a person', async (_name, [first, ...more]) => {
    const rig = new RunRig();
    const done = drive(rig, await rig.run(), addressScript([act(first, ...more), DONE]));
    await expect(done).rejects.toMatchObject({ name: 'HoldDecided', reason: 'CloudDenied' });
  });

  test('of calls that are not worth a hold is left to the step', async () => {
    const rig = new RunRig();
    const step = addressScript([act({ ...denied, optional: true }, { ...other, optional: true }), DONE]);
    await drive(rig, await rig.run(), step);
    expect(step.asked[1]?.last?.outcomes.map(({ error }) => error?.code ?? null)).toEqual(['CLOUD_DENIED', null]);
  });

  test('because of a protection is left to the step', async () => {
    const rig = new RunRig();
    const protectedOne = cloudError('CLOUD_DENIED', 'OperationNotPermitted');
    const step = addressScript([act(call('stop', [protectedOne])), DONE]);
    await drive(rig, await rig.run(), step);
    expect(step.asked[1]?.last?.error).toBe(protectedOne);
  });
});

describe('a hold of what failed', () => {
  const settings = { backoffBaseMs: 10_000, backoffCapMs: 10_000 };

  test('goes with the first call that works, before the step is through', async () => {
    const rig = new RunRig({ settings, policy: { recover: { holdFailingAfterMs: 60_000 } } });
    const run = await rig.run();
    const held: number[] = [];
    let worksFromMs = 120_000;
    const flaky: Call = {
      name: 'associate',
      run: async () => {
        if (rig.clock.monotonicMs() < worksFromMs) throw THROTTLED;
        worksFromMs = 0;
      },
    };
    const look = () => {
      held.push(rig.kv.entries(KEYS.hold(MEMBER)).length);
      return worksFromMs === 0 ? DONE : act(flaky);
    };
    await drive(rig, run, addressScript([look]));
    expect(held).toContain(1);
    expect(held.at(-1)).toBe(0);
  });

  test('goes with the end of the step, though no call has worked', async () => {
    const rig = new RunRig({ settings, policy: { recover: { holdFailingAfterMs: 60_000 } } });
    const again = act(call('associate', [THROTTLED]));
    const look = () => (rig.kv.entries(KEYS.hold(MEMBER)).length === 1 ? DONE : again);
    await drive(rig, await rig.run(), addressScript([look]));
    expect(rig.clock.monotonicMs()).toBeGreaterThanOrEqual(60_000);
    expect(rig.kv.entries(KEYS.hold(MEMBER))).toEqual([]);
  });
});

describe('waiting after a call', () => {
  const REFUSED = cloudError('CLOUD_REJECTED', 'InvalidParameterValue');
  const wait = { kind: 'wait', text: 'for EC2', forMs: 60_000 } as const;

  /**
   * How long the wait took, with somebody asking for another try after ten seconds; and what was
   * shown then.
   */
  async function waited(outcome: Error | null) {
    const rig = new RunRig();
    const run = await rig.run();
    const done = begun(run, addressScript([act(call('associate', [outcome])), wait, DONE]));
    await rig.clock.advance(10_000);
    const shown = run.activities.get('address-a1')?.failing?.nextTryWallMs ?? null;
    run.journal.hold = { key: KEYS.hold(MEMBER), modRevision: 0 };
    run.nudge();
    await rig.clock.runUntilSettled(done);
    return {
      waitedMs: rig.clock.monotonicMs(),
      shownInMs: shown === null ? null : shown - rig.intent.record.startedAtWallMs,
    };
  }

  test('that failed is shown with the time of the next look, and ended by whoever asks for another try', async () => {
    expect(await waited(REFUSED)).toEqual({ waitedMs: 10_000, shownInMs: 60_000 });
  });

  test('that worked takes its time: what EC2 shows too soon proves nothing', async () => {
    expect(await waited(null)).toEqual({ waitedMs: 60_000, shownInMs: null });
  });
});
