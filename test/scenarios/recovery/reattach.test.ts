import { parseRecord, HistoryRecordSchema, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { CrashMonitor } from './crash-points.ts';
import { AS_RUNG, checkDisks, disksOf, type ReattachStage, staged } from './reattach-scene.ts';
import { KEYS, MEMBER } from './recovery-fixture.ts';

/** The old instance is stopped and has its disks, as it had them. */
function checkGivenBack(stage: ReattachStage): void {
  const { scene, old } = stage;
  checkSafety(scene, old);
  checkDisks(stage, old.instanceId);
  expect(scene.stateOf(old.instanceId)).toBe('stopped');
  const root = scene.sim.core.region.volumes.get(stage.disks['/dev/xvda'] ?? '');
  expect(root?.attachments[0]?.deleteOnTermination, 'the root went with its instance').toBe(true);
  for (const id of scene.launchedFor(old.instanceId)) expect(scene.stateOf(id)).toBe('terminated');
}

describe('reattach', () => {
  test('the member comes back with its very disks, under their devices, and its user data', async () => {
    const UserData = Buffer.from('member: x').toString('base64');
    const stage = await staged({ request: { UserData } });
    const { scene, old } = stage;
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    checkDisks(stage, newInstanceId);
    expect(disksOf(scene, old.instanceId)).toEqual({});
    const instance = scene.sim.core.region.instances.get(newInstanceId);
    expect(instance?.userData).toBe(UserData);
    const [seed] = scene.sim.log.launches().filter((one) => one.instanceId === newInstanceId);
    expect(JSON.stringify(seed)).not.toContain(UserData);
    await checkCollected(scene, old, leader, newInstanceId);
    checkDisks(stage, newInstanceId);
  });

  test('what is lost is said of these disks: nothing on them, and no slow first reads', async () => {
    const { scene } = await staged();
    const { plan } = scene.intent().record;
    const codes = plan.losses.map((one) => one.code);
    expect(codes).toContain('MemoryLost');
    expect(codes).not.toContain('FirstReadsSlow');
    expect(plan.volumes.map((one) => one.path)).toEqual(['reattach', 'reattach', 'reattach']);
  });
});

describe('a reattach that does not lead back', () => {
  test('gives the disks back and is closed as not mended, where another way is left', async () => {
    const stage = await staged(AS_RUNG, (scene) => void scene.silent.add('*'));
    const { scene, old } = stage;
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkGivenBack(stage);
    const [ended] = scene.history();
    expect(ended).toMatchObject({ outcome: 'not-mended', strategy: 'reattach', newInstanceId: null });
    expect(ended?.leftAs).toEqual([`${old.instanceId} is stopped, by us`]);
    expect(scene.activation()).toMatchObject({ instanceId: old.instanceId, ordinal: 1 });
    expect([scene.hold(), scene.kv.entries(KEYS.intent(MEMBER))]).toEqual([null, []]);
  });

  test('gives the root back last: nobody can start the old instance with some of its disks only', async () => {
    const stage = await staged(AS_RUNG, (scene) => void scene.silent.add('*'));
    const { scene, old, disks } = stage;
    const seen: (readonly string[])[] = [];
    scene.sim.onEvent(() => void seen.push(Object.keys(disksOf(scene, old.instanceId))));
    // The first attachment lands late, so that the others would overtake it.
    scene.sim.onEvent((event) => {
      if (event.kind === 'transition' && event.resourceKind === 'instance' && event.to === 'terminated')
        scene.sim.addFault({ id: 'late', action: 'AttachVolume', kind: 'late-landing', delayMs: 20_000, times: 1 });
    });
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkGivenBack(stage);
    expect(scene.sim.fired('late')).toBe(1);
    const bare = seen.findLastIndex((one) => one.length === 0);
    const withRoot = seen.slice(bare).filter((one) => one.includes('/dev/xvda'));
    expect(withRoot.length).toBeGreaterThan(0);
    for (const one of withRoot) expect(one).toHaveLength(Object.keys(disks).length);
  });

  test('is held, and keeps the disks for the next try, where none is', async () => {
    const policy = { recover: { strategy: 'reattach', verifyTimeoutMs: 60_000, maxLaunchAttempts: 1 } } as const;
    const stage = await staged({ policy }, (scene) => void scene.silent.add('*'));
    const { scene, old, disks } = stage;
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('LaunchAttemptsExhausted');
    expect(Object.values(disks).map((id) => scene.sim.core.region.volumes.get(id)?.state)).toEqual(
      Object.values(disks).map(() => 'available'),
    );
    scene.silent.delete('*');
    scene.ask('retry');
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkDisks(stage, checkFinished(scene, old, { launches: 2 }));
  });

  test('does not wait for room in the zone as long as the last way would', async () => {
    const stage = await staged(AS_RUNG, (scene) => scene.sim.setCapacity('us-east-1a', 't3.micro', 0));
    const { scene } = stage;
    const began = scene.clock.monotonicMs();
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkGivenBack(stage);
    expect(scene.history()[0]?.outcome).toBe('not-mended');
    expect(scene.clock.monotonicMs() - began).toBeLessThan(600_000);
  });

  test('its leader is killed anywhere in giving up: the disks are back, or it was mended', {
    timeout: 120_000,
  }, async () => {
    const points = async () => {
      const { scene } = await staged({ ...AS_RUNG, dataVolumes: 1 }, (one) => void one.silent.add('*'));
      const monitor = new CrashMonitor();
      const leader = scene.lead(monitor.wrapping());
      await scene.run(leader, scene.intent(), monitor.term(leader.term));
      return monitor.points;
    };
    const all = await points();
    const from = all.findIndex((one) => one.name === 'revoke-1 done');
    expect(from).toBeGreaterThan(0);
    let killed = 0;
    for (let at = from; at < all.length; at += 1) {
      if (all[at]?.kind === 'read') continue;
      for (const mode of ['before', 'no-reply', 'not-recorded'] as const) {
        const stage = await staged({ ...AS_RUNG, dataVolumes: 1 }, (one) => void one.silent.add('*'));
        const { scene } = stage;
        const monitor = new CrashMonitor(at, mode);
        const first = scene.lead(monitor.wrapping());
        const run = first.engine.run(scene.intent(), monitor.term(first.term));
        await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
        killed += monitor.dead ? 1 : 0;
        await scene.clock.advance(12_000);
        const second = scene.lead();
        if (scene.kv.entries(KEYS.intent(MEMBER)).length > 0)
          expect(
            await scene.run(second, scene.intent()),
            `${all[at]?.name} ${mode}: ${JSON.stringify(scene.hold())}`,
          ).toBe('finished');
        checkGivenBack(stage);
        expect(scene.history()[0]?.outcome).toBe('not-mended');
      }
    }
    expect(killed).toBeGreaterThanOrEqual(15);
  });
});

describe('a reattach that a person abandons', () => {
  test.each([
    ['while its disks come off', 'detachVolume'],
    ['while its seed starts', 'runInstances'],
    ['while the disks are put on', 'attachVolume'],
    ['while its replacement starts', 'startInstance'],
  ])('%s: the disks are given back, and nothing else has them', async (_, call) => {
    const stage = await staged();
    const { scene, old } = stage;
    const monitor = new CrashMonitor();
    const leader = scene.lead(monitor.wrapping());
    const run = leader.engine.run(scene.intent(), leader.term);
    while (!monitor.points.some((one) => one.name === call)) await scene.clock.advance(100);
    scene.ask('abandon');
    leader.engine.interrupt(scene.intent().record.opId);
    await scene.clock.runUntilSettled(run);
    expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkGivenBack(stage);
    const key = KEYS.historyEntry(MEMBER, opIdOf(old.instanceId));
    const [entry] = scene.kv.entries(key);
    expect(parseRecord(HistoryRecordSchema, key, entry?.value ?? '')).toMatchObject({ outcome: 'abandoned' });
  });

  test('and wants left as it is: it is said where each disk may be', async () => {
    const stage = await staged({ dataVolumes: 1 });
    const { scene, disks } = stage;
    const monitor = new CrashMonitor();
    const leader = scene.lead(monitor.wrapping());
    const run = leader.engine.run(scene.intent(), leader.term);
    while (!monitor.points.some((one) => one.name === 'attachVolume')) await scene.clock.advance(100);
    scene.ask('abandon', { leaveOpen: true });
    leader.engine.interrupt(scene.intent().record.opId);
    await scene.clock.runUntilSettled(run);
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    const said = scene.history()[0]?.leftAs?.join('\n') ?? '';
    for (const volumeId of Object.values(disks)) expect(said).toContain(volumeId);
  });
});
