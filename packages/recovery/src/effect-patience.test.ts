import { readStepId } from './core/step-id.ts';
import { isOperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { driveStep, type Step } from './effect.ts';
import { act, addressScript, begun, call, DONE, drive, REQUEST, scripted } from './effect.fixtures.ts';
import { cloudError, KEYS, MEMBER, RunRig } from './run.fixtures.ts';
import { ADDRESS } from './identity/elastic-ip.ts';
import { VERIFY } from './steps/attempt-records.ts';

const DOWN = cloudError('CLOUD_UNAVAILABLE');
const WAIT = { kind: 'wait', text: 'for EC2', forMs: 1_000 } as const;
const OVERDUE = { name: 'HoldDecided', reason: 'CloudUnavailable', message: 'it took too long' };

describe('the limit of a step', () => {
  const limitMs = 60_000;

  test.each([
    ['waiting', WAIT],
    ['trying', act(call('associate', [cloudError('CLOUD_THROTTLED', 'RequestLimitExceeded')]))],
  ] as const)('ends its %s', async (_name, move) => {
    const rig = new RunRig();
    await expect(drive(rig, await rig.run(), addressScript([move], { limitMs }))).rejects.toMatchObject({
      name: 'HoldDecided',
      message: expect.stringContaining('it took too long'),
    });
    expect(rig.clock.monotonicMs()).toBeGreaterThan(60_000);
    expect(rig.clock.monotonicMs()).toBeLessThan(75_000);
  });

  test('is not over at its last moment', async () => {
    const rig = new RunRig();
    const step = addressScript([{ ...WAIT, forMs: limitMs }, { ...WAIT, forMs: 1 }, WAIT], { limitMs });
    await expect(drive(rig, await rig.run(), step)).rejects.toMatchObject(OVERDUE);
    expect(step.asked.map(({ frozen }) => frozen.elapsedMs)).toEqual([0, 60_000, 60_001]);
  });

  test('does not throw away what is found out after it', async () => {
    const rig = new RunRig();
    await drive(rig, await rig.run(), addressScript([{ ...WAIT, forMs: 70_000 }, DONE], { limitMs }));
    expect(rig.step('address-a1')?.state).toBe('done');
  });

  test('counts the time of earlier leaders', async () => {
    const rig = new RunRig();
    rig.putStep('address-a1', { request: REQUEST, result: { sends: {} } });
    await rig.clock.advance(20_000);
    const step = addressScript([WAIT], { limitMs });
    await expect(drive(rig, await rig.run(), step)).rejects.toMatchObject(OVERDUE);
    expect(step.asked[0]?.frozen.elapsedMs).toBe(20_000);
    expect(rig.clock.monotonicMs()).toBe(61_000);
  });

  test.each([
    ['as the settings say', {}, 30_000],
    ['as the step says', { floorMs: 45_000 }, 45_000],
  ])('leaves a successor its floor, %s', async (_name, over, floorMs) => {
    const rig = new RunRig({ settings: { resumeFloorMs: 30_000 } });
    rig.putStep('address-a1', { request: REQUEST, result: { sends: {} } });
    await rig.clock.advance(3_600_000);
    const step = addressScript([WAIT], { limitMs, ...over });
    await expect(drive(rig, await rig.run(), step)).rejects.toMatchObject(OVERDUE);
    expect(step.asked[0]?.frozen.elapsedMs).toBe(limitMs - floorMs);
  });

  test('its hold says what fails, so that nobody takes what could not be read for what is not there', async () => {
    const rig = new RunRig();
    const step = addressScript([DOWN], { limitMs });
    const hold = await drive(rig, await rig.run(), step).catch((error: unknown) => error);
    expect(hold).toMatchObject({ name: 'HoldDecided', reason: 'CloudUnavailable' });
    expect(String(hold)).toMatch(/it took too long\. What fails: TheCall: CLOUD_UNAVAILABLE/);
  });

  test('what fails at the very end is said, and nothing where the end is no hold', async () => {
    const rig = new RunRig();
    const first = addressScript([{ ...WAIT, forMs: 61_000 }, DOWN], { limitMs });
    await expect(drive(rig, await rig.run(), first)).rejects.toThrow('What fails: TheCall');
    const other = addressScript([DOWN], { limitMs, onTimeout: () => DONE });
    await drive(rig, await rig.run(), other);
    expect(rig.step('address-a1')).toMatchObject({ state: 'done', result: DONE.result });
    const failed = {
      kind: 'failed',
      failure: 'instance',
      code: 'VerificationTimeout',
      text: 'it was not heard',
    } as const;
    const verify = scripted<typeof VERIFY>([DOWN], {
      prepare: async () => ({ instanceId: 'i-new' }),
      onTimeout: () => failed,
    });
    await rig.clock.runUntilSettled(driveStep(await rig.run(), readStepId('verify-1'), VERIFY, verify));
    expect(rig.step('verify-1')?.error?.text).toBe('it was not heard');
  });
});

describe('looks that fail', () => {
  test('in passing are repeated with pauses, and shown meanwhile', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const counts: unknown[] = [];
    const look = (error: Error | null) => () => {
      counts.push(run.activities.get('address-a1')?.failing?.count ?? 0);
      if (error) throw error;
      return DONE;
    };
    await drive(rig, run, addressScript([look(DOWN), look(DOWN), look(null)]));
    expect(counts).toEqual([0, 1, 2]);
    expect(rig.clock.monotonicMs()).toBeGreaterThan(0);
    expect(run.activities.get('address-a1')?.failing).toBeNull();
  });

  test.each([
    ['a denial', cloudError('CLOUD_DENIED', 'UnauthorizedOperation'), 'CloudDenied'],
    ['a refusal', cloudError('CLOUD_REJECTED', 'InvalidParameterValue'), 'CloudRejected'],
  ])('by %s are for a person', async (_name, error, reason) => {
    const rig = new RunRig();
    const holdOf = async (step: Step<typeof ADDRESS>) =>
      drive(rig, await rig.run(), step).catch((hold: unknown) => hold);
    const held = { name: 'HoldDecided', reason, message: error.message, cause: error };
    expect(await holdOf(addressScript([error]))).toMatchObject(held);
    expect(await holdOf(addressScript([DONE], { prepare: () => Promise.reject(error) }))).toMatchObject(held);
  });

  test.each([
    ['the store', cloudError('STORE_UNAVAILABLE')],
    ['a mistake of ours', new TypeError('ours')],
  ])('because of %s stay what they are', async (_name, error) => {
    const rig = new RunRig();
    expect(await drive(rig, await rig.run(), addressScript([error])).catch((one: unknown) => one)).toBe(error);
  });

  test('their hold goes with the first look that works, though the step goes on', async () => {
    const rig = new RunRig({ policy: { recover: { holdFailingAfterMs: 60_000 } } });
    const run = await rig.run();
    const held: number[] = [];
    const look = () => {
      held.push(rig.kv.entries(KEYS.hold(MEMBER)).length);
      if (rig.clock.monotonicMs() < 120_000) throw DOWN;
      return rig.clock.monotonicMs() > 180_000 ? DONE : WAIT;
    };
    await drive(rig, run, addressScript([act(call('associate')), look]));
    expect(held.filter((count) => count === 1).length).toBeGreaterThan(1);
    expect(held.slice(-10)).toEqual(Array.from({ length: 10 }, () => 0));
  });
});

describe('preparing', () => {
  const failing = (failures: number, error: Error = DOWN) => {
    let left = failures;
    return async () => {
      left -= 1;
      if (left >= 0) throw error;
      return REQUEST;
    };
  };

  test('is repeated while reads fail in passing, and nothing is written down before it is through', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const failingNow = () => run.activities.get('address-a1')?.failing?.count ?? null;
    const seen: unknown[] = [];
    const look = () => {
      seen.push(failingNow());
      return DONE;
    };
    const done = begun(run, addressScript([look], { prepare: failing(3) }));
    await rig.clock.advance(0);
    expect(failingNow()).toBe(1);
    expect(rig.step('address-a1')).toBeNull();
    await rig.clock.runUntilSettled(done);
    expect(seen).toEqual([null]);
    expect(rig.step('address-a1')).toMatchObject({ state: 'done', request: REQUEST });
  });

  test('ends with a hold once the limit of the step is exceeded', async () => {
    const rig = new RunRig({ jitter: 0, settings: { backoffBaseMs: 200_000 } });
    await rig.clock.advance(1_000_000);
    const prepare = failing(1_000_000);
    const done = drive(rig, await rig.run(), addressScript([DONE], { prepare, limitMs: 60_000 }));
    const hold = await done.catch((error: unknown) => error);
    expect(hold).toMatchObject({ name: 'HoldDecided', reason: 'CloudUnavailable', message: DOWN.message, cause: DOWN });
    // Tries go on for the minute of the step, at pauses of half of the cap (`jitter: 0`).
    expect(rig.clock.monotonicMs()).toBe(1_065_000);
  });
});

describe('what is refused for as long as the policy lets it be tried', () => {
  const THROTTLED = cloudError('CLOUD_THROTTLED', 'RequestLimitExceeded');
  const policy = { recover: { retryRefusedForMs: 600_000, holdFailingAfterMs: 60_000 } };
  const limitMs = 86_400_000;
  const again = act(call('associate', [THROTTLED]));

  test('is given up with a hold that says since when, and how to try again; the journal has it', async () => {
    const rig = new RunRig({ policy, jitter: 0, settings: { backoffBaseMs: 200_000 } });
    const step = addressScript([again], { limitMs, givesUpAs: 'CaptureFailed' });
    const hold = await drive(rig, await rig.run(), step).catch((error: unknown) => error);
    expect(hold).toMatchObject({ name: 'HoldDecided', reason: 'CaptureFailed' });
    expect(String(hold)).toMatch(/given up after 32 tries since 2026-01-01T00:00:00.000Z/);
    expect(String(hold)).toContain(`understudy retry ${MEMBER}`);
    expect(rig.step('address-a1')).toMatchObject({ state: 'started', error: { code: 'RequestLimitExceeded' } });
    // A minute at pauses of 5 s, then pauses of 30 s; the first to pass ten minutes ends it.
    expect(rig.clock.monotonicMs()).toBe(605_000);
  });

  test.each([
    ['up to a minute where it may go on for hours', { givesUpAs: 'CaptureFailed' } as const, 60_000],
    ['up to ten seconds where it may not', {}, 10_000],
  ])('is tried after pauses that grow %s', async (_name, over, longestMs) => {
    const rig = new RunRig({ policy, jitter: 0.999_999 });
    const sentAtMs: number[] = [];
    const associate = call('associate', [THROTTLED]);
    const look = () => {
      sentAtMs.push(rig.clock.monotonicMs());
      return act(associate);
    };
    const step = addressScript([look], { limitMs: 1_200_000, ...over });
    await expect(drive(rig, await rig.run(), step)).rejects.toMatchObject({ name: 'HoldDecided' });
    const pauses = sentAtMs.slice(1).map((at, index) => Math.round(at - (sentAtMs[index] ?? 0)));
    expect(Math.max(...pauses)).toBe(longestMs);
  });

  test('is tried to the limit of the step where nothing else is said', async () => {
    const rig = new RunRig({ policy });
    const done = drive(rig, await rig.run(), addressScript([again], { limitMs: 1_800_000 }));
    await expect(done).rejects.toMatchObject({ reason: 'CloudUnavailable' });
    expect(rig.clock.monotonicMs()).toBeGreaterThan(1_800_000);
  });

  test('that it works once begins a new count', async () => {
    const rig = new RunRig({ policy });
    const worked: number[] = [];
    const flaky = {
      name: 'associate',
      run: async () => {
        if (rig.clock.monotonicMs() < 500_000 || worked.length > 0) throw THROTTLED;
        worked.push(rig.clock.monotonicMs());
      },
    };
    const step = addressScript([act(flaky)], { limitMs, givesUpAs: 'CaptureFailed' });
    await expect(drive(rig, await rig.run(), step)).rejects.toMatchObject({ reason: 'CaptureFailed' });
    expect(rig.clock.monotonicMs() - (worked[0] ?? 0)).toBeGreaterThanOrEqual(600_000);
  });

  const gaveUp = { code: 'RequestLimitExceeded', text: 'given up after 40 tries' };
  test.each([
    ['while its hold stands, nothing is sent', true, gaveUp, { givesUpAs: 'CaptureFailed' }, 0],
    ['a person has removed its hold: it is sent again', false, gaveUp, { givesUpAs: 'CaptureFailed' }, 1],
    ['it was never given up: it is sent', true, null, { givesUpAs: 'CaptureFailed' }, 1],
    ['this step never gives up: it is sent', true, gaveUp, {}, 1],
  ] as const)('%s', async (_name, heldAtStart, error, over, sent) => {
    const rig = new RunRig({ policy });
    rig.putStep('address-a1', { request: REQUEST, result: { sends: {} }, error });
    const run = await rig.run();
    run.heldAtStart = heldAtStart;
    const associate = call('associate');
    const result = await drive(rig, run, addressScript([act(associate), DONE], over)).catch((hold: unknown) => hold);
    expect(associate.sends).toHaveLength(sent);
    expect(isOperationError(result)).toBe(false);
    expect(result).toEqual(
      sent === 1 ? undefined : expect.objectContaining({ reason: 'CaptureFailed', message: gaveUp.text }),
    );
  });
});
