import { opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkKept, closedBy, hungMember, strategyOf } from './in-place-scene.ts';
import { KEYS, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';
import { alteredCloud } from './altered-cloud.ts';
import { AS_RUNG } from './reattach-scene.ts';
import { withLateCalls } from '@understudy/recovery';
import type { SeededInstance } from '@understudy/cloud-sim';
import type { Strategy } from '@understudy/recovery/testing';

const MINUTE_MS = 60_000;

/** A recovery by stop-start whose start is sent, does not answer, and lands after `delayMs`. */
async function lateStart(
  delayMs: number,
  options: RecoveryFixtureOptions = {},
): Promise<{ scene: RecoveryFixture; old: SeededInstance }> {
  const settings = { sendLimitMs: 5_000, maxUnknownOutcomes: 1 };
  const { scene, old } = await hungMember('stop-start', { settings, ...options });
  scene.sim.addFault({ id: 'late', action: 'StartInstances', kind: 'late-landing', delayMs });
  scene.sim.addFault({ id: 'never', action: 'StartInstances', kind: 'timeout-before', times: 1_000 });
  await closedBy(scene, scene.lead());
  checkKept(scene, old, 'not-mended');
  expect(scene.history()[0]?.lateCalls).toEqual(['start']);
  return { scene, old };
}

/** The next rung, as the leader plans it from the history. */
async function replaces(
  scene: RecoveryFixture,
  old: SeededInstance,
  replacing: Strategy = strategyOf('snapshot-and-replace'),
): Promise<void> {
  scene.strategy = {
    ...replacing,
    plan: (...all) => {
      const made = replacing.plan(...all);
      const failed = { instanceId: old.instanceId, state: all[0].instance.state };
      return made.kind === 'plan' ? { ...made, plan: withLateCalls(made.plan, scene.history(), failed) } : made;
    },
  };
  await scene.begin(old);
}

describe('a start of ours that lands late, after the next way has fenced the same instance', () => {
  test.each([
    ['before the fence', 0],
    ['during the capture', 40_000],
    ['right before the activation', 75_000],
  ])('%s: it is stopped again before anybody else serves, without a person', async (_, afterMs) => {
    const { scene, old } = await lateStart(30 * MINUTE_MS);
    await replaces(scene, old);
    const leader = scene.lead();
    const run = scene.leadRun(leader);
    await scene.clock.advance(afterMs);
    expect(scene.kv.entries(KEYS.intent(MEMBER)), 'it is still open').toHaveLength(1);
    // As the late call does, at this very moment.
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.runUntilSettled(run);
    const [replacement] = scene.launchedFor(old.instanceId, 1);
    expect(scene.activation()).toMatchObject({ instanceId: replacement, incarnation: 2 });
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    expect(scene.history().find((one) => one.opId === opIdOf(old.instanceId, 1))).toMatchObject({
      outcome: 'replaced',
    });
    const activatedAtWallMs = scene
      .history()
      .find((one) => one.outcome === 'replaced')
      ?.steps.find((one) => one.step === 'activate')?.endedAtWallMs;
    const ups = scene.sim.log.transitions(old.instanceId).filter((one) => one.to === 'running');
    const downs = scene.sim.log.transitions(old.instanceId).filter((one) => one.to === 'stopped');
    expect(downs.at(-1)?.atMs, 'down again after it came up').toBeGreaterThan(ups.at(-1)?.atMs ?? 0);
    expect(activatedAtWallMs).toBeDefined();
  });

  test.each([
    ['has an answer', 'throttle', undefined],
    ['has none, and another one works', 'late-landing', true],
  ] as const)('the Stop right before the activation %s: an undo knows whether it may land', async (_, kind, open) => {
    const { scene, old } = await lateStart(30 * MINUTE_MS);
    await replaces(scene, old);
    const run = scene.leadRun(scene.lead());
    await scene.clock.advance(75_000);
    scene.sim.addFault({ id: 'again', action: 'StopInstances', kind, delayMs: 10 * MINUTE_MS, times: 1 });
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.runUntilSettled(run);
    expect(scene.sim.fired('again')).toBe(1);
    const replaced = scene.history().find((one) => one.outcome === 'replaced');
    expect(replaced?.undo?.stopMayLand).toBe(open);
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
  });

  test.each([
    ['has an answer', 'throttle', false],
    ['has none, and another one works', 'late-landing', true],
  ] as const)(
    'the Stop while its disks come off %s: so the history says when it is given up',
    async (_, kind, late) => {
      const { strategy: rung, ...asRung } = AS_RUNG;
      const { scene, old } = await lateStart(30 * MINUTE_MS, asRung);
      await replaces(scene, old, rung);
      scene.silent.add('*');
      let detaches = 0;
      const leader = scene.lead({
        cloud: (own) =>
          alteredCloud(own, {
            detachVolume: (cloud, ...asked) => {
              detaches += 1;
              if (detaches > 1) return cloud.detachVolume(...asked);
              // Between the look and the call.
              scene.sim.addFault({ id: 'again', action: 'StopInstances', kind, delayMs: 10 * MINUTE_MS, times: 1 });
              scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
              return cloud.detachVolume(...asked);
            },
          }),
      });
      await scene.run(leader, scene.intent());
      expect([scene.sim.fired('again'), scene.kv.entries(KEYS.intent(MEMBER))]).toEqual([1, []]);
      const ended = scene.history().find((one) => one.strategy === 'reattach');
      expect(ended).toMatchObject({ outcome: 'not-mended' });
      expect(ended?.lateCalls?.includes('stop') ?? false).toBe(late);
    },
  );

  test('with no start of ours in doubt, somebody else has started it: that is for a person', async () => {
    const { scene, old } = await hungMember('stop-start');
    scene.strategy = strategyOf('snapshot-and-replace');
    scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
    await closedBy(scene, scene.lead());
    scene.sim.setCapacity('us-east-1a', 't3.micro', null);
    expect(scene.history()[0]?.lateCalls).toBeUndefined();
    await scene.begin(old);
    const leader = scene.lead();
    const run = leader.engine.run(scene.intent(), leader.term);
    await scene.clock.advance(40_000);
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    expect(await scene.clock.runUntilSettled(run)).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'FenceNotProven' });
  });
});

describe('a stop of ours that lands late, on the member that was mended', () => {
  test('is known to be possible: the history says so, and for how long', async () => {
    const { scene, old } = await hungMember('stop-start', { settings: { sendLimitMs: 5_000 } });
    scene.sim.addFault({ id: 'late', action: 'StopInstances', kind: 'late-landing', delayMs: 10 * MINUTE_MS });
    await closedBy(scene, scene.lead());
    checkKept(scene, old, 'mended');
    expect(scene.history()[0]?.lateCalls).toEqual(['stop']);
    await scene.clock.advance(11 * MINUTE_MS);
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    checkKept(scene, old, 'mended');
  });

  test('cannot be where every stop was answered', async () => {
    const { scene, old } = await hungMember('stop-start');
    await closedBy(scene, scene.lead());
    checkKept(scene, old, 'mended');
    expect(scene.history()[0]?.lateCalls).toBeUndefined();
  });
});

test('a reboot of ours that lands late reboots the mended member, and writes nothing', async () => {
  const { scene, old } = await hungMember('reboot', { settings: { sendLimitMs: 5_000 } });
  scene.sim.addFault({ id: 'late', action: 'RebootInstances', kind: 'late-landing', delayMs: 10 * MINUTE_MS });
  await closedBy(scene, scene.lead());
  checkKept(scene, old, 'mended');
  expect(scene.history()[0]?.lateCalls).toEqual(['reboot']);
  const boots = () => scene.sim.log.transitions(old.instanceId).filter((one) => one.to === 'running').length;
  const before = boots();
  await scene.clock.advance(11 * MINUTE_MS);
  expect([boots(), scene.stateOf(old.instanceId)]).toEqual([before + 1, 'running']);
  checkKept(scene, old, 'mended');
});
