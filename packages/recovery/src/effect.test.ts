import { readStepId } from './core/step-id.ts';
import { describe, expect, test } from 'vitest';
import { driveStep } from './effect.ts';
import { act, addressScript, begun, call, DONE, drive, REQUEST, scripted } from './effect.fixtures.ts';
import type { Run } from './run.ts';
import { cloudError, KEYS, LAUNCH_REQUEST, MEMBER, PERMIT_REQUEST, REVOKE_REQUEST, RunRig } from './run.fixtures.ts';
import { PLACEMENT } from './standing-hold.ts';
import { LAUNCH, PERMIT, REVOKE } from './steps/attempt-records.ts';

const note = (associationId: string) => ({ kind: 'note', noted: { associationId } }) as const;

describe('a step', () => {
  test('has its request and the number of each call in the journal before that call is made', async () => {
    const rig = new RunRig();
    const seen: unknown[] = [];
    const look = { name: 'look', run: async () => void seen.push(rig.step('address-a1')) };
    await drive(rig, await rig.run(), addressScript([act(look), act(look), DONE]));
    expect(seen).toMatchObject([
      { state: 'started', request: REQUEST, result: { sends: { look: 1 } } },
      { state: 'started', request: REQUEST, result: { sends: { look: 2 } } },
    ]);
    expect(rig.step('address-a1')).toMatchObject({ state: 'done', request: REQUEST, result: DONE.result });
    expect(rig.log.linesOf('recovery.journal.stale')).toEqual([]);
  });

  test('that is done is not done again', async () => {
    const rig = new RunRig();
    rig.putStep('address-a1', { state: 'done', request: REQUEST, result: DONE.result });
    const step = addressScript([DONE]);
    await drive(rig, await rig.run(), step);
    expect(step.asked).toEqual([]);
  });

  test('goes on with the request that was frozen, and chooses no other', async () => {
    const rig = new RunRig();
    const frozen = { ...REQUEST, networkInterfaceId: 'eni-2' };
    rig.putStep('address-a1', {
      request: frozen,
      result: { sends: { associate: 2 }, noted: { associationId: 'as-9' } },
    });
    const prepare = () => Promise.reject(new Error('it is frozen'));
    const step = addressScript([DONE], { prepare });
    await drive(rig, await rig.run(), step);
    expect(step.asked[0]?.frozen).toMatchObject({
      request: frozen,
      sends: { associate: 2 },
      noted: { associationId: 'as-9' },
      conflict: null,
    });
  });

  test('that another leader has begun meanwhile goes on from what that one froze, and sends nothing before it knows', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const theirs = { ...REQUEST, networkInterfaceId: 'eni-theirs' };
    const associate = call('associate');
    const step = addressScript([
      () => {
        rig.putStep('address-a1', { request: theirs, result: { sends: { associate: 4 } } });
        return act(associate);
      },
      act(associate),
      DONE,
    ]);
    await drive(rig, run, step);
    expect(associate.sends).toEqual([5]);
    expect(step.asked.map(({ frozen }) => frozen.request)).toEqual([REQUEST, theirs, theirs]);
    expect(step.asked.map(({ frozen }) => frozen.conflict)).toEqual([null, null, null]);
  });

  test('that another leader has ended meanwhile is over', async () => {
    const rig = new RunRig();
    const theirs = { state: 'done', request: REQUEST, result: { associationId: 'as-theirs' } } as const;
    const step = addressScript([
      () => {
        rig.putStep('address-a1', theirs);
        return DONE;
      },
    ]);
    await drive(rig, await rig.run(), step);
    expect(rig.step('address-a1')).toMatchObject(theirs);
    expect(step.asked).toHaveLength(1);
  });

  test('notes what it has seen, and what was noted lasts through further writes', async () => {
    const rig = new RunRig();
    const step = addressScript([note('as-2'), act(call('associate')), DONE]);
    await drive(rig, await rig.run(), step);
    expect(step.asked.map(({ frozen }) => frozen.noted)).toEqual([
      null,
      { associationId: 'as-2' },
      { associationId: 'as-2' },
    ]);
  });

  test('is told how the calls of its last act ended, once', async () => {
    const rig = new RunRig();
    const refusal = cloudError('CLOUD_CONFLICT', 'IncorrectState');
    const calls = act(call('disassociate'), call('associate', [refusal]));
    const step = addressScript([calls, { kind: 'wait', text: 'w' }, DONE]);
    await drive(rig, await rig.run(), step);
    expect(step.asked.map(({ last }) => last)).toEqual([
      null,
      {
        outcomes: [
          { name: 'disassociate', error: null },
          { name: 'associate', error: refusal },
        ],
        ...{ name: 'disassociate', error: refusal, unknownCount: 0 },
      },
      null,
    ]);
  });

  test('ends at its next line when its run ends, with the reason', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const step = addressScript([
      () => {
        run.stop(new Error('the run ends'));
        return note('as-2');
      },
      DONE,
    ]);
    await expect(drive(rig, run, step)).rejects.toThrow('the run ends');
    expect(step.asked).toHaveLength(1);
  });

  test.each(['CLOUD_UNAVAILABLE', 'CLOUD_DENIED'] as const)(
    'whose look fails (%s) as its run ends is no hold',
    async (code) => {
      const rig = new RunRig();
      const run = await rig.run();
      const step = addressScript([
        () => {
          run.stop(new Error('the run ends'));
          throw cloudError(code);
        },
      ]);
      await expect(drive(rig, run, step)).rejects.toThrow('the run ends');
    },
  );
});

describe('waiting', () => {
  const wait = { kind: 'wait', text: 'for EC2', percent: 40 } as const;

  test('is in the journal as a step that has begun, is shown, and takes as long as the step says', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const done = begun(run, addressScript([{ ...wait, forMs: 7_000 }, DONE]));
    await rig.clock.advance(6_999);
    expect(rig.step('address-a1')).toMatchObject({ state: 'started', request: REQUEST });
    expect(run.activities.get('address-a1')).toMatchObject({ text: 'for EC2', percent: 40 });
    await rig.clock.advance(1);
    await rig.clock.runUntilSettled(done);
    expect(rig.step('address-a1')?.state).toBe('done');
  });

  test('grows longer with the time waited: after 40 s of looking a look a second', async () => {
    const rig = new RunRig();
    const asked: number[] = [];
    const look = () => {
      asked.push(rig.clock.monotonicMs());
      return asked.length === 60 ? DONE : wait;
    };
    await drive(rig, await rig.run(), addressScript([look]));
    const pauses = asked.slice(1).map((at, index) => at - (asked[index] ?? 0));
    expect(pauses.slice(0, 3)).toEqual([250, 250, 250]);
    const late = asked.findIndex((at) => at >= 40_000);
    expect(late === -1 ? pauses.at(-1) : pauses[late]).toBeGreaterThan(250);
  });

  test('begins anew after each call', async () => {
    const rig = new RunRig();
    const asked: number[] = [];
    const script = [{ ...wait, forMs: 60_000 }, act(call('associate')), wait, DONE] as const;
    const moves = script.map((move) => () => {
      asked.push(rig.clock.monotonicMs());
      return move;
    });
    const [first = () => DONE, ...others] = moves;
    await drive(rig, await rig.run(), addressScript([first, ...others]));
    expect(asked).toEqual([0, 60_000, 60_000, 60_250]);
  });

  test('writes the journal once, however often it looks', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const step = addressScript([wait, wait, wait, DONE]);
    await drive(rig, run, step);
    expect(rig.kv.client('term-1').applied.txn).toBe(2);
  });

  test('does not wait on a record that somebody else has written', async () => {
    const rig = new RunRig();
    const asked: number[] = [];
    const step = addressScript([
      () => {
        rig.putStep('address-a1', { request: REQUEST, result: { sends: {} } });
        return { ...wait, forMs: 60_000 };
      },
      () => {
        asked.push(rig.clock.monotonicMs());
        return DONE;
      },
    ]);
    await drive(rig, await rig.run(), step);
    expect(asked).toEqual([0]);
    expect(rig.log.linesOf('recovery.journal.stale')).toHaveLength(1);
  });
});

describe('the end of a step', () => {
  test('carries further writes in its transaction, and learns what stands in the way of them', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const key = KEYS.activation(MEMBER);
    const revision = rig.put(key, { member: MEMBER, incarnation: 7, instanceId: 'i-other', opId: null, ordinal: 0 });
    const put = { key, record: { member: MEMBER, incarnation: 2, instanceId: 'i-new', opId: rig.opId, ordinal: 0 } };
    const ending = (expect: number) => ({ ...DONE, alongside: { puts: [{ ...put, expect }] } });
    const step = addressScript([ending(1), ending(revision)]);
    await drive(rig, run, step);
    expect(step.asked[1]?.frozen.conflict).toMatchObject([{ key, modRevision: revision }]);
    expect(rig.kv.entries(key)[0]?.value).toContain('i-new');
    expect(rig.step('address-a1')?.state).toBe('done');
  });

  test('that failed ends its attempt with the reason, in the journal and in the log', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const move = {
      kind: 'failed',
      failure: 'capacity',
      code: 'InsufficientInstanceCapacity',
      text: 'no room',
    } as const;
    const step = scripted<typeof PERMIT>([move], { prepare: async () => PERMIT_REQUEST });
    await rig.clock.runUntilSettled(driveStep(run, readStepId('permit-1'), PERMIT, step));
    const error = { code: 'InsufficientInstanceCapacity', text: 'no room' };
    expect(rig.step('permit-1')).toMatchObject({ state: 'failed', result: { failure: 'capacity' }, error });
    expect(step.asked).toHaveLength(1);
  });

  test('that was refused because somebody wrote beside it is decided again', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const move = { kind: 'failed', failure: 'unknown', code: 'x', text: 'y' } as const;
    const step = scripted<typeof PERMIT>(
      [
        () => {
          rig.putStep('permit-1', { request: PERMIT_REQUEST, result: { sends: {} } });
          return move;
        },
        { ...move, failure: 'placement' },
      ],
      { prepare: async () => PERMIT_REQUEST },
    );
    await rig.clock.runUntilSettled(driveStep(run, readStepId('permit-1'), PERMIT, step));
    expect(rig.step('permit-1')).toMatchObject({ state: 'failed', result: { failure: 'placement' } });
  });

  test('a hold is thrown, and nothing of the step is ended', async () => {
    const rig = new RunRig();
    const hold = { kind: 'hold', reason: 'FenceNotProven', text: 'it runs' } as const;
    await expect(drive(rig, await rig.run(), addressScript([hold]))).rejects.toMatchObject({
      name: 'HoldDecided',
      reason: 'FenceNotProven',
      message: 'it runs',
    });
    expect(rig.step('address-a1')).toBeNull();
  });

  test('closing is one transaction, and what keeps it from happening is looked at', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const key = KEYS.historyEntry(MEMBER, rig.opId);
    const intent = { key: KEYS.intent(MEMBER), expect: rig.intent.modRevision };
    const close = (expect: number) =>
      ({ kind: 'close', write: { puts: [{ key, record: { a: 1 }, expect }], deletes: [intent] } }) as const;
    const step = addressScript([close(99), close(0)]);
    await drive(rig, run, step);
    expect(step.asked[1]?.frozen.conflict).toMatchObject([null, { key: KEYS.intent(MEMBER) }]);
    expect(rig.kv.entries(KEYS.intent(MEMBER))).toEqual([]);
    expect(rig.kv.entries(key)).toHaveLength(1);
  });
});

describe('an attempt that did launch after all', () => {
  const back = { kind: 'launched-after-all', launchStep: 'launch-1', instanceId: 'i-new' } as const;
  const failedLaunch = {
    state: 'failed',
    request: LAUNCH_REQUEST,
    result: { failure: 'unknown' },
    error: { code: 'x', text: 'y' },
  } as const;

  test('is done again, and its revocation gone, in one transaction', async () => {
    const rig = new RunRig();
    rig.putStep('launch-1', failedLaunch);
    rig.putStep('revoke-1', { request: REVOKE_REQUEST, result: { sends: {} } });
    const run = await rig.run();
    const commits: number[] = [];
    rig.kv.onCommit((commit) => commits.push(commit.txn.writes.length));
    const step = scripted<typeof REVOKE>([back], { prepare: async () => REVOKE_REQUEST });
    await rig.clock.runUntilSettled(driveStep(run, readStepId('revoke-1'), REVOKE, step));
    const result = { instanceId: 'i-new', foundBy: 'revocation' };
    expect(rig.step('launch-1')).toMatchObject({ state: 'done', request: LAUNCH_REQUEST, result, error: null });
    expect(rig.step('revoke-1')).toBeNull();
    expect(commits).toEqual([2]);
    expect(rig.kv.client('c1').applied.range, 'the journal is not read again').toBe(1);
    expect(run.journal.states()).toEqual(new Map([['launch-1', 'done']]));
  });

  test('needs no revocation that was never written down to go', async () => {
    const rig = new RunRig();
    rig.putStep('launch-1', failedLaunch);
    const step = scripted<typeof REVOKE>([back], { prepare: async () => REVOKE_REQUEST });
    await rig.clock.runUntilSettled(driveStep(await rig.run(), readStepId('revoke-1'), REVOKE, step));
    expect(rig.step('launch-1')?.state).toBe('done');
    expect(step.asked).toHaveLength(1);
  });

  test('is decided again when its revocation was changed by somebody else', async () => {
    const rig = new RunRig();
    rig.putStep('launch-1', failedLaunch);
    rig.putStep('revoke-1', { request: REVOKE_REQUEST, result: { sends: {} } });
    const step = scripted<typeof REVOKE>(
      [
        () => {
          rig.putStep('revoke-1', { request: REVOKE_REQUEST, result: { sends: { terminate: 1 } } });
          return back;
        },
        back,
      ],
      { prepare: async () => REVOKE_REQUEST },
    );
    await rig.clock.runUntilSettled(driveStep(await rig.run(), readStepId('revoke-1'), REVOKE, step));
    expect(step.asked[1]?.frozen.sends).toEqual({ terminate: 1 });
    expect(rig.step('launch-1')?.state).toBe('done');
    expect(rig.step('revoke-1')).toBeNull();
  });
});

describe('what kept placements from being found', () => {
  const want = (run: Run, step: string) =>
    run.standing.want(step, { key: 'k', reason: 'NoCapacity', text: 'no room', sinceWallMs: 1, untilWallMs: null });
  const holds = (rig: RunRig) => rig.kv.entries(KEYS.hold(MEMBER)).length;
  const failed = (failure: 'capacity' | 'instance') => ({ kind: 'failed', failure, code: 'c', text: 't' }) as const;

  test.each([
    ['capacity', 1],
    ['instance', 0],
  ] as const)('after a failure for %s, %i hold stands', async (failure, count) => {
    const rig = new RunRig();
    const run = await rig.run();
    await rig.clock.runUntilSettled(want(run, 'permit-1'));
    expect(holds(rig)).toBe(1);
    const step = scripted<typeof PERMIT>([failed(failure)], { prepare: async () => PERMIT_REQUEST });
    await rig.clock.runUntilSettled(driveStep(run, readStepId('permit-1'), PERMIT, step));
    expect(holds(rig)).toBe(count);
    await rig.clock.runUntilSettled(launch(run));
    expect(holds(rig)).toBe(0);
  });

  const launch = (run: Run) => {
    const launched = { kind: 'done', result: { instanceId: 'i-new', foundBy: 'reply' } } as const;
    const step = scripted<typeof LAUNCH>([launched], { prepare: async () => LAUNCH_REQUEST });
    return driveStep(run, readStepId('launch-2'), LAUNCH, step);
  };

  test('is over with a launch, and not with any other step', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    await rig.clock.runUntilSettled(want(run, PLACEMENT));
    await drive(rig, run, addressScript([DONE]));
    expect(holds(rig)).toBe(1);
    await rig.clock.runUntilSettled(launch(run));
    expect(holds(rig)).toBe(0);
  });
});
