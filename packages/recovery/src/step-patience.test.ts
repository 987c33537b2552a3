import { type HoldRecord, OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { cloudError, KEYS, MEMBER, type RigOptions, RunRig } from './run.fixtures.ts';
import type { Run } from './run.ts';
import { StepPatience } from './step-patience.ts';

const DOWN = cloudError('CLOUD_UNAVAILABLE');
const THROTTLED = cloudError('CLOUD_THROTTLED', 'RequestLimitExceeded');
const NO_ROOM = cloudError('CLOUD_CAPACITY', 'InsufficientInstanceCapacity');
const policy = { recover: { holdFailingAfterMs: 120_000, retryRefusedForMs: 3_600_000 } };

interface Patient {
  readonly rig: RunRig;
  readonly run: Run;
  readonly patience: StepPatience;
}

/** Without chance: pauses are as long as they may be. */
async function patient(lasting = false, options: RigOptions = {}): Promise<Patient> {
  const rig = new RunRig({ policy, jitter: 0.999_999_9, ...options });
  const run = await rig.run();
  return { rig, run, patience: new StepPatience(run, 'capture', lasting) };
}

/** How long each of so many pauses was. */
async function pauses({ rig }: Patient, count: number, pause: () => Promise<void>): Promise<number[]> {
  const lasted: number[] = [];
  for (let number = 0; number < count; number += 1) {
    const beforeMs = rig.clock.monotonicMs();
    await rig.clock.runUntilSettled(pause());
    lasted.push(Math.round(rig.clock.monotonicMs() - beforeMs));
  }
  return lasted;
}
const hold = (rig: RunRig): HoldRecord | null => {
  const [entry] = rig.kv.entries(KEYS.hold(MEMBER));
  return entry ? (JSON.parse(entry.value) as HoldRecord) : null;
};

describe('pauses', () => {
  test('between looks that fail double from one second to ten', async () => {
    const one = await patient();
    expect(await pauses(one, 6, () => one.patience.failedLook(DOWN))).toEqual([
      1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
    ]);
  });

  test('between calls that fail grow to a minute, once they have failed for one, where the step may go on for hours', async () => {
    for (const [lasting, longestMs] of [
      [true, 60_000],
      [false, 10_000],
    ] as const) {
      const one = await patient(lasting);
      const lasted = await pauses(one, 30, () => one.patience.pauseAfterCall(one.patience.calls.note(THROTTLED)));
      const startedAtMs = lasted.map((_, index) => lasted.slice(0, index).reduce((sum, ms) => sum + ms, 0));
      expect(lasted.filter((_, index) => (startedAtMs[index] ?? 0) <= 60_000).every((ms) => ms <= 10_000)).toBe(true);
      expect(Math.max(...lasted)).toBe(longestMs);
    }
  });

  test('grow once calls have failed for more than a minute, and not at the minute', async () => {
    for (const [failedForMs, longestMs] of [
      [60_000, 10_000],
      [60_001, 60_000],
    ] as const) {
      const one = await patient(true);
      await one.rig.clock.advance(500_000);
      for (let count = 0; count < 10; count += 1) one.patience.calls.note(THROTTLED);
      await one.rig.clock.advance(failedForMs);
      expect(await pauses(one, 1, () => one.patience.pauseAfterCall(one.patience.calls.note(THROTTLED)))).toEqual([
        longestMs,
      ]);
    }
  });

  test('are shown with what fails, how often, and when it is tried next', async () => {
    const { rig, run, patience } = await patient();
    const done = patience.failedLook(DOWN);
    await rig.clock.advance(10);
    expect(run.activities.get('capture')).toMatchObject({
      text: 'TheCall fails (CLOUD_UNAVAILABLE, 1 times): trying again',
      failing: { action: 'TheCall', count: 1, nextTryWallMs: expect.any(Number) },
    });
    expect(
      Math.round((run.activities.get('capture')?.failing?.nextTryWallMs ?? 0) - rig.intent.record.startedAtWallMs),
    ).toBe(1_000);
    await rig.clock.runUntilSettled(done);
    patience.show();
    expect(run.activities.get('capture')?.failing?.nextTryWallMs, 'while it is being tried').toBeNull();
  });

  test('end at once when somebody asks for another try, and begin anew', async () => {
    const one = await patient(true);
    const { rig, run, patience } = one;
    await pauses(one, 20, () => patience.pauseAfterCall(patience.calls.note(THROTTLED)));
    expect(hold(rig)).not.toBeNull();
    const startedAtMs = rig.clock.monotonicMs();
    const done = patience.pauseAfterCall(patience.calls.note(THROTTLED));
    await rig.clock.advance(1_000);
    run.nudge();
    await rig.clock.runUntilSettled(done);
    expect(rig.clock.monotonicMs() - startedAtMs).toBe(1_000);
    expect(patience.calls.current).toBeNull();
  });
});

describe('a hold, while the step goes on', () => {
  const fail = (one: Patient, times: number, error = THROTTLED) =>
    pauses(one, times, () => one.patience.pauseAfterCall(one.patience.calls.note(error)));

  test('is shown once calls have failed for as long as the policy says; with since when, how often, and until when', async () => {
    const one = await patient(true);
    const { rig } = one;
    while (rig.clock.monotonicMs() < 119_000) {
      expect(hold(rig)).toBeNull();
      await fail(one, 1);
    }
    await fail(one, 3);
    const sinceWallMs = rig.intent.record.startedAtWallMs;
    expect(hold(rig)).toMatchObject({ reason: 'CloudUnavailable', sinceWallMs, untilWallMs: sinceWallMs + 3_600_000 });
    const text = hold(rig)?.text ?? '';
    expect(text).toContain('capture fails since 2026-01-01T00:00:00.000Z: TheCall: RequestLimitExceeded (HTTP 400)');
    expect(text).toMatch(
      /tried again every 60 s at the longest until 2026-01-01T01:00:00.000Z \(recover.retryRefusedForMs\)/,
    );
    expect(text).toContain(`understudy retry ${MEMBER}`);
  });

  test('of looks has no end, and says the pause between them', async () => {
    const one = await patient();
    await pauses(one, 20, () => one.patience.failedLook(DOWN));
    expect(hold(one.rig)).toMatchObject({ reason: 'CloudUnavailable', untilWallMs: null });
    expect(hold(one.rig)?.text).toMatch(/every 10 s at the longest, and goes on by itself/);
  });

  test('for want of room says so', async () => {
    const one = await patient();
    await fail(one, 20, NO_ROOM);
    expect(hold(one.rig)?.reason).toBe('NoCapacity');
  });

  test('is another one when something else fails', async () => {
    const one = await patient();
    await fail(one, 20);
    await fail(one, 1, NO_ROOM);
    expect(hold(one.rig)?.text).toContain('InsufficientInstanceCapacity');
  });

  test('is another one when another call fails in the same way', async () => {
    const one = await patient();
    await fail(one, 20);
    await fail(
      one,
      1,
      new OperationError('CLOUD_THROTTLED', 'x', { action: 'OtherCall', upstreamCode: 'RequestLimitExceeded' }),
    );
    expect(hold(one.rig)?.text).toContain('OtherCall');
  });

  test('is shown at the very moment the policy names', async () => {
    const { rig, patience } = await patient();
    await rig.clock.advance(500_000);
    patience.calls.note(THROTTLED);
    await rig.clock.advance(119_999);
    await rig.clock.runUntilSettled(patience.wait(1));
    expect(hold(rig)).toBeNull();
    await rig.clock.runUntilSettled(patience.wait(1));
    expect(hold(rig)).not.toBeNull();
  });

  test('waiting where nothing fails shows none', async () => {
    const { rig, patience } = await patient();
    await rig.clock.runUntilSettled(patience.wait(600_000));
    expect(hold(rig)).toBeNull();
  });
});

describe('what works again', () => {
  test('a look says nothing of calls: their hold stays', async () => {
    const one = await patient();
    const { run, patience } = one;
    await pauses(one, 20, () => patience.pauseAfterCall(patience.calls.note(THROTTLED)));
    expect(patience.lookWorked()).toBe(false);
    patience.looks.note(DOWN);
    expect(patience.text()).toMatch(/CLOUD_UNAVAILABLE/);
    expect(run.activities.get('capture')?.failing?.code).toBe('RequestLimitExceeded');
    patience.show();
    expect(run.activities.get('capture')?.failing?.code, 'looks are shown first').toBe('CLOUD_UNAVAILABLE');
    expect(patience.lookWorked()).toBe(false);
    expect(patience.text()).toMatch(/RequestLimitExceeded/);
    expect(run.activities.get('capture')?.failing?.code).toBe('RequestLimitExceeded');
  });

  test('a look takes the hold of looks with it', async () => {
    const one = await patient();
    expect(one.patience.lookWorked()).toBe(false);
    await pauses(one, 20, () => one.patience.failedLook(DOWN));
    expect(one.patience.lookWorked()).toBe(true);
    expect([one.patience.text(), one.run.activities.get('capture')?.failing]).toEqual([null, null]);
  });

  test('the end of a step ends both, and takes the hold with it', async () => {
    const one = await patient();
    const { patience } = one;
    await pauses(one, 20, () => patience.pauseAfterCall(patience.calls.note(THROTTLED)));
    patience.looks.note(DOWN);
    expect(patience.settled()).toBe(true);
    expect([patience.text(), one.run.activities.get('capture')?.failing]).toEqual([null, null]);
    expect(patience.settled()).toBe(false);
  });
});
