import { OwnershipWatch, strayTexts, type WatchedRecovery } from '@understudy/recovery';
import { invariant } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { CrashMonitor, crashMatrix } from './crash-points.ts';
import { a, checkNamed, groupArn, ipOf, NAMED, PUBLIC_ZONE, registered, valuesOf } from './names-scene.ts';
import { KEYS, MEMBER, type RecoveryFixture } from './recovery-fixture.ts';
import { stage } from './stories.ts';

function recoveryOf(scene: RecoveryFixture): WatchedRecovery {
  const [entry] = scene.kv.entries(KEYS.historyOf(MEMBER));
  const [activation] = scene.kv.entries(KEYS.activation(MEMBER));
  const [record] = scene.history();
  invariant(entry && activation && record, 'no recovery has ended');
  return { key: entry.key, record, modRevision: entry.modRevision, activationModRevision: activation.modRevision };
}

/** A member whose recovery is over, with all that names it where it was put. */
async function watching(monitor = new CrashMonitor()) {
  const { scene, old } = await stage(NAMED);
  const leader = scene.lead();
  expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old);
  const { clock, log, names } = scene;
  const { cloud, dns, targetGroups } = monitor.wrapping();
  const watch = new OwnershipWatch({
    ...{ cloud: cloud?.(leader.cloud) ?? leader.cloud, keys: KEYS, clock, log, callTimeoutMs: 5_000 },
    names: { dns: dns?.(names.dns), targetGroups: targetGroups?.(names.targetGroups) },
  });
  const term = monitor.term(leader.term);
  const passes = async (count: number, recovery = () => recoveryOf(scene)): Promise<void> => {
    for (let pass = 0; pass < count && !monitor.dead; pass += 1) {
      await clock.runUntilSettled(Promise.race([monitor.died, watch.look(term, recovery())]));
      await clock.advance(30_000);
    }
  };
  /** The leader that follows looks, a while apart. */
  const followed = async (count: number): Promise<void> => {
    const next = scene.lead();
    const again = new OwnershipWatch({ cloud: next.cloud, names, keys: KEYS, clock, log, callTimeoutMs: 5_000 });
    for (let pass = 0; pass < count; pass += 1) {
      await clock.runUntilSettled(again.look(next.term, recoveryOf(scene)));
      await clock.advance(30_000);
    }
  };
  const oldIp = ipOf(scene, old.instanceId);
  const changes = (since: number) =>
    scene.sim.log
      .calls()
      .slice(since)
      .filter(({ action }) => !/:?(Describe|List|Get)/.test(action))
      .map(({ action }) => action);
  return { scene, old, newInstanceId, oldIp, passes, followed, changes };
}

const flips = (scene: RecoveryFixture) => scene.history()[0]?.moved?.flatMap(({ flip }) => flip ?? []) ?? [];
const point = (scene: RecoveryFixture, name: string, ip: string) => scene.sim.dns.setRecord(PUBLIC_ZONE, a(name, [ip]));
const pointBlue = (scene: RecoveryFixture, ip: string) =>
  scene.sim.dns.setRecord(PUBLIC_ZONE, a('w.example.com', [ip], { SetIdentifier: 'blue', Weight: 10 }));
const ended = (scene: RecoveryFixture, instanceId: string) => {
  scene.sim.seed('TerminateInstances', { InstanceIds: [instanceId] });
  return scene.clock.advance(120_000);
};

describe('records and registrations after a recovery', () => {
  test('stand in the history with where they were put; nothing is changed while they are there', async () => {
    const { scene, passes, changes } = await watching();
    const moves = scene.history()[0]?.moved?.map(({ move }) => move) ?? [];
    expect(moves.toSorted()).toEqual(['record', 'record', 'record', 'target']);
    const since = scene.sim.log.calls().length;
    await passes(3);
    expect([changes(since), flips(scene)]).toEqual([[], []]);
  });

  test('a record that names the retired instance again is put right once, and left the second time', async () => {
    const { scene, old, newInstanceId, oldIp, passes } = await watching();
    pointBlue(scene, oldIp);
    await passes(1);
    expect(flips(scene), 'one look may be outdated').toEqual([]);
    await passes(3);
    checkNamed(scene, old, newInstanceId);
    expect(flips(scene)).toMatchObject([
      { holder: 'the instance that was replaced', backAtWallMs: expect.any(Number) },
    ]);
    expect(scene.log.linesOf('identity.astray')).toHaveLength(1);
    expect(scene.log.linesOf('identity.back')).toHaveLength(1);
    pointBlue(scene, oldIp);
    await passes(4);
    expect(valuesOf(scene, PUBLIC_ZONE, 'w.example.com.', 'blue')).toEqual([oldIp]);
    const [history] = scene.history();
    expect(history && strayTexts(history).join()).toContain('the record Z0000000001SIM.A.w.example.com.blue');
  });

  test('a record that names somebody else, or was removed, is told and left', async () => {
    const { scene, passes, changes } = await watching();
    point(scene, 'db.example.com', '10.7.7.7');
    const zone = scene.sim.dns.require(PUBLIC_ZONE);
    const kept = [...zone.records].filter(([, one]) => one.SetIdentifier !== 'blue');
    scene.sim.dns.put({ ...zone, records: new Map(kept) });
    expect(kept.length).toBe(zone.records.size - 1);
    const since = scene.sim.log.calls().length;
    await passes(5);
    expect(changes(since)).toEqual([]);
    const texts = scene.history().flatMap((one) => strayTexts(one));
    expect(texts).toHaveLength(2);
    expect(texts.join()).toContain('10.7.7.7 has it; what somebody else has is never taken away');
    expect(texts.join()).toContain('the record was removed: whoever removed it means it');
  });

  test('a record whose old address another machine has by now is that machine’s', async () => {
    const { scene, old, oldIp, passes } = await watching();
    await ended(scene, old.instanceId);
    const { subnetId = '' } = scene.sim.core.region.instances.get(old.instanceId) ?? {};
    scene.seedMember('other/one', { elasticIp: false, request: { SubnetId: subnetId, PrivateIpAddress: oldIp } });
    await scene.clock.advance(60_000);
    point(scene, 'db.example.com', oldIp);
    await passes(5);
    expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([oldIp]);
    expect(
      scene
        .history()
        .flatMap((one) => strayTexts(one))
        .join(),
    ).toContain(`${oldIp} is the address of`);
  });

  test('a replacement that was taken out of its group is registered again, once', async () => {
    const { scene, old, newInstanceId, passes } = await watching();
    const out = () =>
      scene.sim.seedTargets(groupArn(scene), [], [{ Id: newInstanceId }, { Id: newInstanceId, Port: 8080 }]);
    out();
    await passes(4);
    await scene.clock.advance(120_000);
    checkNamed(scene, old, newInstanceId);
    out();
    await passes(5);
    expect(registered(scene)).toEqual([]);
    expect(flips(scene)[0]?.left).toContain('has gone again');
  });

  test('a retired instance that is registered again is taken out while it is down, and not while it runs', async () => {
    const { scene, old, newInstanceId, passes } = await watching();
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.advance(60_000);
    scene.sim.seedTargets(groupArn(scene), [{ Id: old.instanceId }]);
    await passes(4);
    expect(registered(scene)).toContain(`${old.instanceId}:80`);
    expect(flips(scene)[0]?.left).toContain('which is running');
    scene.sim.seed('StopInstances', { InstanceIds: [old.instanceId] });
    scene.sim.seedTargets(groupArn(scene), [], [{ Id: old.instanceId }]);
    await scene.clock.advance(400_000);
    await passes(4);
    checkNamed(scene, old, newInstanceId);
    expect(scene.history().flatMap((one) => strayTexts(one))).toEqual([]);
  });

  test('a member that has moved on since the look is left alone: nothing is written, nothing sent', async () => {
    const { scene, oldIp, passes, changes } = await watching();
    const stale = recoveryOf(scene);
    pointBlue(scene, oldIp);
    scene.raiseActivation();
    const since = scene.sim.log.calls().length;
    await passes(4, () => stale);
    expect([changes(since), flips(scene)]).toEqual([[], []]);
    expect(valuesOf(scene, PUBLIC_ZONE, 'w.example.com.', 'blue')).toEqual([oldIp]);
  });

  test('a swap that lands long after changes nothing that was changed since', async () => {
    const { scene, oldIp, passes } = await watching();
    const late = {
      id: 'late',
      action: 'route53:ChangeResourceRecordSets',
      kind: 'late-landing',
      delayMs: 600_000,
    } as const;
    scene.sim.addFault(late);
    pointBlue(scene, oldIp);
    await passes(2);
    expect(scene.sim.fired('late')).toBe(1);
    pointBlue(scene, '10.7.7.7');
    await scene.clock.advance(700_000);
    expect(valuesOf(scene, PUBLIC_ZONE, 'w.example.com.', 'blue')).toEqual(['10.7.7.7']);
  });
});

/** A record that names the retired instance again, and a group that lost its replacement. */
async function astray(monitor: CrashMonitor) {
  const watched = await watching(monitor);
  const { scene, newInstanceId, oldIp } = watched;
  pointBlue(scene, oldIp);
  scene.sim.seedTargets(groupArn(scene), [], [{ Id: newInstanceId }, { Id: newInstanceId, Port: 8080 }]);
  await watched.passes(8);
  return watched;
}

test('a leader killed at any call or commit of the watch is followed by one that puts the rest right', {
  timeout: 120_000,
}, async () => {
  const undisturbed = new CrashMonitor();
  const { scene, old, newInstanceId } = await astray(undisturbed);
  await scene.clock.advance(120_000);
  checkNamed(scene, old, newInstanceId);
  const points = [...undisturbed.points];
  const matrix = crashMatrix(points).filter(({ at }) => points[at]?.kind !== 'read');
  expect(matrix.length).toBeGreaterThanOrEqual(15);
  for (const { at, mode } of matrix) {
    const monitor = new CrashMonitor(at, mode);
    const struck = await astray(monitor);
    expect(monitor.dead, `the crash at ${at} did not happen`).toBe(true);
    await struck.followed(8);
    await struck.scene.clock.advance(120_000);
    checkNamed(struck.scene, struck.old, struck.newInstanceId);
    expect(
      struck.scene.history().flatMap((one) => strayTexts(one)),
      `${at} ${mode}`,
    ).toEqual([]);
  }
});
