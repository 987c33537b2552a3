import { monotonicMs } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { heard, OLD, RunRig } from './run.fixtures.ts';
import { Run } from './run.ts';
import { brokenPromise, leaseFence } from './serve-lease-fence.ts';

const serveLease = { answersHoldMs: 10_000, stopWithinMs: 5_000, fenceAfterMs: 30_000 };

/** A run whose process has known the intent since `seenAtMs`. */
async function runOf(options: { over: number | null; lease?: object | null; seenAtMs?: number }) {
  const { over, lease = serveLease, seenAtMs = 0 } = options;
  const policy = { serveLease: lease } as never;
  const rig = new RunRig({ intent: {}, policy });
  const record = { ...rig.intent.record, serveLeaseOverAfterMs: over };
  const { parts, term, journal } = await rig.run();
  return { rig, run: new Run(parts, { ...rig.intent, record }, term, journal, seenAtMs) };
}

describe('a serve lease is waited out', () => {
  test.each([
    ['where its promise takes longer than EC2 is given', 45_000, 45_000],
    ['where EC2 is given longer than its promise takes', 20_000, 30_000],
  ])('%s', async (_name, over, waitMs) => {
    const { rig, run } = await runOf({ over });
    await rig.clock.advance(waitMs - 1);
    expect(leaseFence(run)).toEqual({ kind: 'running', leftMs: 1 });
    await rig.clock.advance(1);
    expect(leaseFence(run)).toEqual({ kind: 'over' });
  });

  test('from the moment this process knew the intent, whatever its wall clock does', async () => {
    const { rig, run } = await runOf({ over: 45_000, seenAtMs: 40_000 });
    await rig.clock.advance(60_000);
    rig.clock.stepWall(86_400_000);
    expect(leaseFence(run)).toEqual({ kind: 'running', leftMs: 25_000 });
  });

  test.each([
    ['the instance made no promise that counts', null, serveLease],
    ['the group keeps no serve leases', 45_000, null],
  ])('never where %s', async (_name, over, lease) => {
    const { rig, run } = await runOf({ over, lease });
    await rig.clock.advance(3_600_000);
    expect(leaseFence(run)).toEqual({ kind: 'none' });
  });
});

describe('a promise is broken', () => {
  test('while the instance is heard to serve', async () => {
    const { rig, run } = await runOf({ over: 45_000 });
    await rig.clock.advance(100_000);
    rig.readings.set(OLD, heard({ serving: true, lastHeardAtMs: monotonicMs(100_000) }));
    const { suspectAfterMs } = run.policy;
    await rig.clock.advance(suspectAfterMs - 1);
    expect(brokenPromise(run)).toMatchObject({
      kind: 'hold',
      reason: 'FenceNotProven',
      text: expect.stringContaining(OLD),
    });
    await rig.clock.advance(1);
    expect(brokenPromise(run), 'it has fallen silent').toBeNull();
  });

  test('not by an instance that is not heard, or says that it does not serve', async () => {
    const { rig, run } = await runOf({ over: 45_000 });
    expect(brokenPromise(run)).toBeNull();
    rig.readings.set(OLD, heard({ serving: false }));
    expect(brokenPromise(run)).toBeNull();
  });
});
