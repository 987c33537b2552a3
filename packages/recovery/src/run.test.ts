import { getEventListeners } from 'node:events';
import { OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { cloudError, cloudInstance, KEYS, MEMBER, RunRig } from './run.fixtures.ts';
import { isPassing } from './run.ts';

const never = (): Promise<never> => new Promise(() => undefined);
const settings = { sendLimitMs: 10_000, giveUpGraceMs: 100 };

describe('a read', () => {
  test('is made once with the run’s own end, and repeated by the adapter where it fails in passing', async () => {
    const options: unknown[] = [];
    const describeInstances = async (_filters: unknown, given?: object) => {
      options.push(given);
      return [cloudInstance('i-1')];
    };
    const rig = new RunRig({ cloud: { describeInstances } });
    const run = await rig.run();
    const found = await rig.clock.runUntilSettled(run.read((cloud, given) => cloud.describeInstances({}, given)));
    expect(found).toHaveLength(1);
    const { opId: caller } = run.record;
    expect(options).toEqual([
      { signal: expect.any(AbortSignal), repeat: true, notAfterMs: expect.any(Number), caller },
    ]);
    expect(rig.clock.pendingCount, 'no timer is left').toBe(0);
    expect(getEventListeners(run.signal, 'abort'), 'nor anything on a run that may make thousands of them').toEqual([]);
  });

  test('that is not answered is given up, and then EC2 counts as unavailable; its own word on being cut off is waited for', async () => {
    const rig = new RunRig({ settings });
    const run = await rig.run();
    let cutOffAtMs = -1;
    const reading = run.read((_cloud, { signal }) => {
      signal?.addEventListener('abort', () => (cutOffAtMs = rig.clock.monotonicMs()));
      return never();
    });
    await expect(rig.clock.runUntilSettled(reading)).rejects.toMatchObject({
      code: 'CLOUD_UNAVAILABLE',
      message: /10\.0 s/ as never,
    });
    expect([cutOffAtMs, rig.clock.monotonicMs()]).toEqual([10_000, 10_100]);
  });

  test('that answers as it is cut off has answered', async () => {
    const rig = new RunRig({ settings });
    const run = await rig.run();
    const reading = run.read(
      (_cloud, { signal }) =>
        new Promise<string>((resolve) => signal?.addEventListener('abort', () => resolve('late'))),
    );
    expect(await rig.clock.runUntilSettled(reading)).toBe('late');
    expect(rig.clock.pendingCount).toBe(0);
  });

  test('ends with the run, and with the term', async () => {
    for (const end of ['stop', 'lose'] as const) {
      const rig = new RunRig({ settings });
      const run = await rig.run();
      const reading = run.read(never);
      await rig.clock.advance(1_000);
      if (end === 'stop') run.stop(new Error('the run ends'));
      else run.lose();
      await expect(rig.clock.runUntilSettled(reading)).rejects.toThrow(end === 'stop' ? 'the run ends' : 'LEASE_LOST');
      expect([rig.clock.monotonicMs(), rig.clock.pendingCount]).toEqual([1_000, 0]);
    }
  });

  test('after the end of the run is not made', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    run.stop(new Error('the run ends'));
    let asked = false;
    const reading = run.read(async () => (asked = true));
    await expect(reading).rejects.toThrow('the run ends');
    expect(asked).toBe(false);
  });
});

describe('a call that changes something', () => {
  test('may start only while the term holds for as long as one takes', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const may: unknown[] = [];
    const ask = () =>
      run.send(async (_cloud, options) => {
        may.push(options.mayStart?.());
        expect(options).not.toHaveProperty('repeat');
      });
    await ask();
    rig.remainingMs = 5_000;
    await ask();
    expect(may).toEqual([true, false]);
  });

  test('that is not answered has an unknown outcome', async () => {
    const rig = new RunRig({ settings });
    const run = await rig.run();
    await expect(rig.clock.runUntilSettled(run.send(never))).rejects.toMatchObject({
      code: 'CLOUD_OUTCOME_UNKNOWN',
      message: /10\.0 s/ as never,
    });
    expect(rig.clock.monotonicMs()).toBe(10_100);
  });

  test('is cut off with the reason of the timeout, so that the adapter can say whether it was sent', async () => {
    const rig = new RunRig({ settings });
    const run = await rig.run();
    let why: unknown = null;
    const sending = run.send((_cloud, { signal }) => {
      signal?.addEventListener('abort', () => (why = signal.reason));
      return never();
    });
    await rig.clock.runUntilSettled(sending).catch(() => undefined);
    expect(why).toMatchObject({ code: 'CLOUD_OUTCOME_UNKNOWN' });
  });

  test('is waited for though its run has ended', async () => {
    const rig = new RunRig({ settings });
    const run = await rig.run();
    const sending = run.send(() => rig.clock.sleep(2_000).then(() => 'made'));
    run.stop(new Error('the run ends'));
    expect(await rig.clock.runUntilSettled(sending)).toBe('made');
  });

  test('ends with the term, whatever the adapter makes of it; and is cut off', async () => {
    const rig = new RunRig({ settings });
    const run = await rig.run();
    let cutOff = false;
    const sending = run.send((_cloud, { signal }) => {
      signal?.addEventListener('abort', () => (cutOff = true));
      return never();
    });
    run.lose();
    await expect(sending).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(cutOff).toBe(true);
    const after = run.send(async () => 'sent');
    await expect(after).rejects.toMatchObject({ code: 'LEASE_LOST' });
  });

  test('hands on what EC2 answers', async () => {
    const run = await new RunRig().run();
    const error = cloudError('CLOUD_REJECTED', 'x');
    await expect(run.send(() => Promise.reject(error))).rejects.toBe(error);
  });
});

describe('what a step says', () => {
  test('keeps since when it is at work, and what fails', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const sinceWallMs = rig.clock.wallMs();
    const failing = { action: 'a', code: 'c', httpStatus: null, text: 't', count: 1, sinceWallMs, nextTryWallMs: null };
    run.say('capture', 'at work', 40);
    await rig.clock.advance(1_000);
    run.sayFailing('capture', failing);
    expect(run.activities.get('capture')).toEqual({ sinceWallMs, text: 'at work', percent: 40, failing });
    run.say('capture', 'still');
    expect(run.activities.get('capture')).toEqual({ sinceWallMs, text: 'still', percent: null, failing });
    run.sayFailing('image', null);
    expect(run.activities.get('image')).toEqual({
      sinceWallMs: sinceWallMs + 1_000,
      text: '',
      percent: null,
      failing: null,
    });
  });
});

describe('being asked for another try', () => {
  const held = async () => {
    const rig = new RunRig();
    const run = await rig.run();
    await rig.clock.runUntilSettled(
      run.standing.want('capture', {
        key: 'k',
        reason: 'CloudUnavailable',
        text: 't',
        sinceWallMs: 1,
        untilWallMs: null,
      }),
    );
    return { rig, run };
  };

  test('ends a pause after failures, once, and forgets the hold', async () => {
    const { rig, run } = await held();
    const nap = run.nap(60_000);
    await rig.clock.advance(1_000);
    run.nudge();
    expect(await nap).toBe('nudged');
    expect([run.journal.hold, run.journal.holdRule]).toEqual([null, 'until-progress']);
    const startedAtMs = rig.clock.monotonicMs();
    expect(await rig.clock.runUntilSettled(run.nap(60_000))).toBe('slept');
    expect(rig.clock.monotonicMs() - startedAtMs).toBe(60_000);
  });

  test('does nothing where no hold of ours stands', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const nap = run.nap(60_000);
    await rig.clock.advance(1_000);
    run.nudge();
    expect(await rig.clock.runUntilSettled(nap)).toBe('slept');
    expect(rig.clock.monotonicMs()).toBe(60_000);
  });

  test('is nothing against the end of the run', async () => {
    const { run } = await held();
    const nap = run.nap(60_000);
    run.stop(new Error('the run ends'));
    await expect(nap).rejects.toThrow('the run ends');
    const other = await held();
    const both = other.run.nap(60_000);
    other.run.nudge();
    other.run.stop(new Error('the run ends'));
    await expect(both).rejects.toThrow('the run ends');
    expect(other.rig.kv.entries(KEYS.hold(MEMBER))).toHaveLength(1);
  });
});

test('of the errors of reads those go away by themselves that name no refusal', () => {
  const codes = ['CLOUD_UNAVAILABLE', 'CLOUD_THROTTLED', 'CLOUD_NOT_FOUND', 'CLOUD_DENIED', 'CLOUD_REJECTED'] as const;
  expect(codes.map((code) => isPassing(new OperationError(code, 'x')))).toEqual([true, true, true, false, false]);
  expect(isPassing(new Error('CLOUD_UNAVAILABLE'))).toBe(false);
});
