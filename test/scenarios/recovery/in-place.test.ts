import { describe, expect, test } from 'vitest';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { checkKept, closedBy, hungMember, type InPlaceName, ran } from './in-place-scene.ts';
import { PausePoint } from './pause-point.ts';
import { KEYS } from './recovery-fixture.ts';

const BOTH: readonly InPlaceName[] = ['reboot', 'stop-start'];
const stepsOf = (steps: readonly { readonly step: string }[] | undefined) => steps?.map((one) => one.step);

async function points(name: InPlaceName): Promise<readonly Point[]> {
  const { scene, old } = await hungMember(name);
  const monitor = new CrashMonitor();
  const leader = scene.lead(monitor.wrapping());
  expect(await scene.run(leader, scene.intent(), monitor.term(leader.term))).toBe('finished');
  checkKept(scene, old, 'mended');
  return monitor.points;
}

async function crashAt(name: InPlaceName, at: number, mode: CrashMode): Promise<boolean> {
  const { scene, old } = await hungMember(name);
  const monitor = new CrashMonitor(at, mode);
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  await scene.clock.advance(12_000);
  await closedBy(scene, scene.lead());
  expect(scene.history()).toHaveLength(1);
  checkKept(scene, old, scene.history()[0]?.outcome === 'mended' ? 'mended' : 'not-mended');
  expect(scene.history()[0]?.outcome, 'the leader dies, the machine comes back all the same').toBe('mended');
  expect(scene.stateOf(old.instanceId)).toBe('running');
  return monitor.dead;
}

describe('a member that hangs', () => {
  test('is rebooted, and is back on its own instance with a later boot', async () => {
    const { scene, old } = await ran('reboot');
    checkKept(scene, old, 'mended');
    expect(scene.history()[0]).toMatchObject({ strategy: 'reboot', fencedBy: null });
    expect(stepsOf(scene.history()[0]?.steps)).toEqual(['reboot', 'mend']);
  });

  test('is stopped, seen stopped and started, and is back on its own instance', async () => {
    const { scene, old } = await ran('stop-start');
    checkKept(scene, old, 'mended');
    expect(scene.history()[0]).toMatchObject({ strategy: 'stop-start', fencedBy: 'stopped' });
    expect(stepsOf(scene.history()[0]?.steps)).toEqual(['fence', 'restart', 'mend']);
    const states = scene.sim.log.transitions(old.instanceId).map((one) => one.to);
    expect(states.slice(-4)).toEqual(['stopping', 'stopped', 'pending', 'running']);
  });

  test('has its stop protection back afterwards', async () => {
    const { scene, old } = await ran('stop-start', { request: { DisableApiStop: true } });
    checkKept(scene, old, 'mended');
    const protection = await scene.clock.runUntilSettled(scene.newCloud().describeProtection(old.instanceId));
    expect(protection.stop).toBe(true);
  });

  test.each(BOTH)('that does not come back after %s is left to the next way, as what it was', async (name) => {
    const { scene, old } = await hungMember(name);
    scene.silent.add(old.instanceId);
    await closedBy(scene, scene.lead());
    checkKept(scene, old, 'not-mended');
    expect(scene.history()[0]?.reason).toMatch(/not back after 300 s/);
  });

  test('that EC2 has no host for is left stopped, at once', async () => {
    const { scene, old } = await hungMember('stop-start');
    scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
    await closedBy(scene, scene.lead());
    checkKept(scene, old, 'not-mended');
    expect(scene.history()[0]).toMatchObject({ leftAs: [`${old.instanceId} is stopped, by us`] });
    expect(scene.history()[0]?.reason).toContain('EC2 refuses to start it');
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
  });

  test('is not taken for mended by heartbeats of the boot that failed', async () => {
    const { scene, old } = await hungMember('reboot');
    // The reboot is taken and never done; its agent was only slow, and speaks again.
    scene.sim.addFault({ id: 'lost', action: 'RebootInstances', kind: 'timeout-before', times: 2 });
    scene.sim.core.region.instances.update(old.instanceId, { crashedAtMs: null }, 0);
    await closedBy(scene, scene.lead());
    checkKept(scene, old, 'not-mended');
    expect(scene.history()[0]?.reason).toContain('a later boot');
    expect(scene.history()[0]?.lateCalls).toEqual(['reboot']);
  });
});

describe('a leader that dies', { timeout: 120_000 }, () => {
  test.each(BOTH)('at any call, commit or read of %s leaves it to its successor', async (name) => {
    const all = await points(name);
    const matrix = crashMatrix(all);
    await atEachCrash(all, matrix, async ({ at, mode }) => {
      expect(await crashAt(name, at, mode), 'the crash did not happen').toBe(true);
    });
    expect(matrix.length).toBeGreaterThan(15);
  });
});

/** Paused in front of its nth call or commit, for an hour, while a successor finishes. */
async function pauseAt(name: InPlaceName, at: number): Promise<boolean> {
  const { scene, old } = await hungMember(name);
  const pause = new PausePoint(at);
  const first = scene.lead(pause.wrapping());
  const run = first.engine.run(scene.intent(), pause.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([pause.reached, run]));
  const reached = pause.paused;
  await closedBy(scene, scene.lead());
  await scene.clock.advance(3_600_000);
  checkKept(scene, old, 'mended');
  pause.letGo();
  await scene.clock.runUntilSettled(run);
  await scene.clock.advance(300_000);
  // **S** What it still sent may have stopped or rebooted it: nothing else, and no record.
  checkKept(scene, old, 'mended');
  return reached;
}

describe('a leader that is paused for an hour, then let go', { timeout: 60_000 }, () => {
  test.each(BOTH)('in front of any call or commit of %s writes nothing', async (name) => {
    let at = 0;
    while (await pauseAt(name, at)) at += 1;
    expect(at).toBeGreaterThan(4);
    expect(KEYS.root).not.toBe('');
  });
});
