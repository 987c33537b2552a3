import { type MonotonicMs, monotonicMs, serializeRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { KEYS, MEMBER, RecoveryFixture } from './recovery-fixture.ts';

const OVER_AFTER_MS = 83_617;
const SEEN_AT_MS = 20_000;

/**
 * A member with a serve lease whose instance EC2 refuses to stop; its intent is committed and seen
 * at 20 s.
 */
async function unstoppable(fenceAfterMs = 0) {
  const scene = new RecoveryFixture({
    policy: {
      recover: { serveLease: { stopWithinMs: 60_000, requireWatchdog: true, fenceAfterMs }, fenceTimeoutMs: 900_000 },
    },
  });
  const old = scene.seedMember();
  const { record } = await scene.begin(old);
  const value = serializeRecord({ ...record, serveLeaseOverAfterMs: OVER_AFTER_MS });
  await scene.clock.advance(SEEN_AT_MS - scene.clock.monotonicMs());
  scene.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.intent(MEMBER), value }] });
  scene.sim.addFault({
    id: 'no',
    action: 'StopInstances',
    kind: 'error',
    code: 'InternalError',
    httpStatus: 500,
    times: 9_999,
  });
  const capturedAtMs = () => {
    const call = scene.sim.log.calls('CreateSnapshots')[0];
    return call ? call.atMs - call.durationMs : Number.POSITIVE_INFINITY;
  };
  const seenAt = (ms: number) => ({ intentSeenAtMs: (): MonotonicMs => monotonicMs(ms) });
  return { scene, old, capturedAtMs, seenAt };
}

const within = (ms: number, fromMs: number) => {
  expect(ms).toBeGreaterThanOrEqual(fromMs);
  expect(ms).toBeLessThan(fromMs + 20_000);
};

describe('a serve lease is waited out', () => {
  test('from when this process saw the intent, to the end: then the recovery goes on by the lease', async () => {
    const { scene, old, capturedAtMs, seenAt } = await unstoppable();
    expect(await scene.run(scene.lead(seenAt(SEEN_AT_MS)), scene.intent())).toBe('finished');
    within(capturedAtMs(), SEEN_AT_MS + OVER_AFTER_MS);
    checkFinishedByLease(scene, old.instanceId);
  });

  test.each([
    ['forward, hour by hour', 3_600_000],
    ['back, hour by hour', -3_600_000],
  ])('on our own monotonic clock: a wall clock that steps %s changes nothing', async (_which, stepMs) => {
    const { scene, capturedAtMs, seenAt } = await unstoppable();
    for (let atMs = 1_000; atMs < 200_000; atMs += 10_000)
      scene.clock.setTimer(atMs, () => scene.clock.stepWall(stepMs));
    expect(await scene.run(scene.lead(seenAt(SEEN_AT_MS)), scene.intent()), JSON.stringify(scene.hold())).toBe(
      'finished',
    );
    within(capturedAtMs(), SEEN_AT_MS + OVER_AFTER_MS);
  });

  test('anew by a leader that has just come, however old the intent is by its own record', async () => {
    const { scene, capturedAtMs, seenAt } = await unstoppable();
    await scene.clock.advance(60_000);
    const lateMs = scene.clock.monotonicMs();
    expect(await scene.run(scene.lead(seenAt(lateMs)), scene.intent())).toBe('finished');
    within(capturedAtMs(), lateMs + OVER_AFTER_MS);
  });

  test('from the beginning of the run where it is not known when the intent was seen', async () => {
    const { scene, capturedAtMs } = await unstoppable();
    await scene.clock.advance(60_000);
    const beganMs = scene.clock.monotonicMs();
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    within(capturedAtMs(), beganMs + OVER_AFTER_MS);
  });

  test('for as long as the policy gives EC2, where that is longer', async () => {
    const { scene, capturedAtMs, seenAt } = await unstoppable(180_000);
    expect(await scene.run(scene.lead(seenAt(SEEN_AT_MS)), scene.intent())).toBe('finished');
    within(capturedAtMs(), SEEN_AT_MS + 180_000);
  });
});

function checkFinishedByLease(scene: RecoveryFixture, oldInstanceId: string): void {
  expect(scene.stateOf(oldInstanceId)).toBe('running');
  expect(scene.history()[0]).toMatchObject({ fencedBy: 'lease', outcome: 'replaced' });
}

describe('a lease that does not count', () => {
  test('is not waited out: without it in the intent the recovery holds', async () => {
    const { scene, old, seenAt } = await unstoppable();
    const { record } = scene.intent();
    const value = serializeRecord({ ...record, serveLeaseOverAfterMs: null });
    scene.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.intent(MEMBER), value }] });
    expect(await scene.run(scene.lead(seenAt(SEEN_AT_MS)), scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('FenceNotProven');
    expect(scene.sim.log.calls('CreateSnapshots')).toEqual([]);
    scene.sim.removeFault('no');
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    checkFinished(scene, old);
  });
});
