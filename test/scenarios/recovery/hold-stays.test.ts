import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { KEYS, MEMBER, RecoveryFixture } from './recovery-fixture.ts';

describe('a hold of the recovery', () => {
  /** What the store holds at this moment; a run looks at it every half second. */
  function witness(scene: RecoveryFixture) {
    const seen: (number | null)[] = [];
    const look = () => {
      seen.push(scene.kv.entries(KEYS.hold(MEMBER))[0]?.modRevision ?? null);
      scene.clock.setTimer(500, look);
    };
    return { seen, look };
  }

  test('stays, unchanged, through runs that get nowhere, and goes only when what it held is through', async () => {
    const scene = new RecoveryFixture({ policy: { recover: { fenceTimeoutMs: 60_000 } } });
    const old = scene.seedMember();
    await scene.begin(old);
    scene.sim.addFault({ id: 'stuck', action: 'StopInstances', kind: 'stuck-stopping', delayMs: 400_000, times: 1 });
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent())).toBe('held');
    const placed = scene.kv.entries(KEYS.hold(MEMBER))[0]?.modRevision;
    const { seen, look } = witness(scene);
    look();
    for (let again = 0; again < 3; again += 1) {
      expect(await scene.run(leader, scene.intent())).toBe('held');
      await scene.clock.advance(1_000);
    }
    expect(seen.length).toBeGreaterThan(100);
    expect(new Set(seen)).toEqual(new Set([placed]));
    await scene.clock.advance(400_000);
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    checkFinished(scene, old);
  });

  test('stays while a replacement is sought that EC2 goes on refusing, whatever is tried meanwhile', async () => {
    const scene = new RecoveryFixture({ policy: { recover: { maxLaunchAttempts: 1 } } });
    const old = scene.seedMember();
    await scene.begin(old);
    scene.sim.setDeniedActions(['RunInstances']);
    const leader = scene.lead();
    expect(await scene.run(leader, scene.intent())).toBe('held');
    const { seen, look } = witness(scene);
    look();
    for (let again = 0; again < 3; again += 1) {
      expect(await scene.run(leader, scene.intent())).toBe('held');
      await scene.clock.advance(1_000);
    }
    expect(seen.length).toBeGreaterThan(5);
    expect(seen).not.toContain(null);
    expect(new Set(seen).size).toBe(1);
    scene.sim.setDeniedActions([]);
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    checkFinished(scene, old);
  });
});
