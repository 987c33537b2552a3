import { lateDetachesOf, lateDetachObstacle } from '@understudy/recovery/testing';
import { serializeRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { nameMember, NAMED, registered, valuesOf, PUBLIC_ZONE } from './names-scene.ts';
import { KEYS, type RecoveryFixture } from './recovery-fixture.ts';
import { checkFollowed, finished, muteFirst, REATTACHED, runOnce, staged } from './primary-scene.ts';

/** Given up, and carried out by EC2 later: within the waits of the recovery, and long after it. */
const LATE = [20_000, 900_000] as const;

const ACTIONS = [
  ...['TerminateInstances', 'CreateNetworkInterface', 'RunInstances', 'ModifyInstanceAttribute'],
  ...['DeleteNetworkInterface', 'DetachVolume', 'AttachVolume', 'StartInstances'],
];

describe.each([
  { name: 'from snapshots', options: {} },
  { name: 'with its disks', options: REATTACHED },
])('a call that lands late: $name', ({ options }) => {
  test.each(ACTIONS.flatMap((action) => LATE.map((delayMs) => ({ action, delayMs }))))(
    '$action, $delayMs ms after it was given up',
    async ({ action, delayMs }) => {
      const change = { ...options.policy, recover: { ...options.policy?.recover, verifyTimeoutMs: 60_000 } };
      const stage = await staged({ policy: change }, muteFirst);
      const { scene, old } = stage;
      scene.sim.addFault({ id: 'late', action, kind: 'late-landing', delayMs, times: 1 });
      await finished(stage);
      await scene.clock.advance(3_600_000);
      checkFollowed(stage, checkFinished(scene, old, { launches: 'any' }));
      const isMade = scene.sim.log.calls(action).length > 0;
      expect(scene.sim.fired('late'), 'nothing was late').toBe(isMade ? 1 : 0);
    },
  );
});

/**
 * Attempt 1 is given up for want of an answer; its permit is made this long after it was asked for.
 */
async function latePermit(delayMs: number): Promise<boolean> {
  const stage = await staged({ settings: { maxUnknownOutcomes: 0 } }, (scene, { subnetId }) => {
    const types = ['t3.micro', 't3.small'];
    scene.policy.recover.placements.push(...types.map((instanceType) => ({ subnetId, instanceType })));
  });
  const { scene, old } = stage;
  scene.sim.addFault({ id: 'late', action: 'CreateNetworkInterface', kind: 'late-landing', delayMs, times: 1 });
  await finished(stage);
  checkFinished(scene, old);
  expect(scene.sim.fired('late')).toBe(1);
  return scene.log.lines.some(({ fields }) => fields.call === 'clear');
}

test('a permit that lands after its attempt was ended is deleted, and the next one gets the address', async () => {
  const cleared: boolean[] = [];
  for (let delayMs = 5_000; delayMs <= 14_000; delayMs += 500) cleared.push(await latePermit(delayMs));
  expect(cleared).toContain(true);
  expect(cleared).toContain(false);
});

describe('a TerminateInstances without an answer', () => {
  test('is seen through before the recovery is abandoned', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    scene.sim.addFault({ id: 'late', action: 'TerminateInstances', kind: 'late-landing', delayMs: 60_000, times: 1 });
    const leader = scene.lead();
    const run = leader.engine.run(scene.intent(), leader.term);
    for (let n = 0; n < 3_000 && scene.sim.fired('late') === 0; n += 1) await scene.clock.advance(100);
    expect(scene.sim.fired('late')).toBe(1);
    scene.ask('abandon');
    leader.engine.interrupt(scene.intent().record.opId);
    expect(await scene.clock.runUntilSettled(run)).toBe('parked');
    expect(await runOnce(stage), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.history()[0]).toMatchObject({ outcome: 'abandoned' });
    expect(['terminated', null]).toContain(scene.stateOf(old.instanceId));
    expect(scene.history()[0]?.leftAs?.[0]).toBe(`${old.instanceId} is terminated`);
    expect(stage.faults).toEqual([]);
  });

  test('is said, where a person ends the recovery with all that is open', async () => {
    const stage = await staged({ ...REATTACHED, dataVolumes: 1 });
    const { scene, old, volumeIds } = stage;
    scene.sim.addFault({ id: 'late', action: 'TerminateInstances', kind: 'late-landing', delayMs: 600_000, times: 1 });
    const leader = scene.lead();
    const run = leader.engine.run(scene.intent(), leader.term);
    for (let n = 0; n < 3_000 && scene.sim.fired('late') === 0; n += 1) await scene.clock.advance(100);
    expect(scene.sim.fired('late')).toBe(1);
    scene.ask('abandon', { leaveOpen: true });
    leader.engine.interrupt(scene.intent().record.opId);
    await scene.clock.runUntilSettled(run);
    expect(await runOnce(stage)).toBe('finished');
    expect(scene.history()[0]?.leftAs?.join('; ')).toContain('may still be terminated');
    expect(scene.history()[0]?.lateCalls).toEqual(['terminate']);
    const late = lateDetachesOf(scene.history(), old.instanceId);
    const instance = { instanceId: old.instanceId, volumes: [] };
    const obstacle = (afterMs: number, inPlace: boolean) =>
      lateDetachObstacle(late, instance, { inPlace, nowWallMs: scene.clock.wallMs() + afterMs })?.code;
    expect([obstacle(0, true), obstacle(0, false)]).toEqual(['EndMayLand', 'EndMayLand']);
    expect(obstacle(16 * 60_000, true)).toBeUndefined();
    await scene.clock.advance(3_600_000);
    expect(['terminated', null]).toContain(scene.stateOf(old.instanceId));
    for (const id of volumeIds) expect(scene.sim.core.region.volumes.get(id)?.state).toBe('available');
  });
});

/**
 * A call that was refused in passing is sent again under its number, and then has no answer; later
 * ones are refused for good.
 */
describe.each([
  { name: 'from snapshots', options: {} },
  { name: 'with its disks', options: { ...REATTACHED, dataVolumes: 1 } },
])('a TerminateInstances with the number of one that was refused: $name', ({ options }) => {
  test('may have ended it', async () => {
    const stage = await staged(options);
    const { scene, old, volumeIds } = stage;
    const fault = { action: 'TerminateInstances', times: 1 };
    scene.sim.addFault({ id: 'slow', ...fault, kind: 'throttle' });
    scene.sim.addFault({ id: 'late', ...fault, kind: 'late-landing', delayMs: 600_000, afterCalls: 1 });
    const leader = scene.lead();
    const run = leader.engine.run(scene.intent(), leader.term);
    for (let n = 0; n < 3_000 && scene.sim.fired('late') === 0; n += 1) await scene.clock.advance(100);
    expect([scene.sim.fired('slow'), scene.sim.fired('late')]).toEqual([1, 1]);
    const protect = (Value: boolean) =>
      scene.sim.seed('ModifyInstanceAttribute', { InstanceId: old.instanceId, DisableApiTermination: { Value } });
    protect(true);
    expect(await scene.clock.runUntilSettled(run)).toBe('held');
    scene.ask('abandon', { leaveOpen: true });
    expect(await runOnce(stage)).toBe('finished');
    expect(scene.history()[0]?.leftAs?.join(';')).toContain('may still be terminated');
    protect(false);
    await scene.clock.advance(3_600_000);
    expect(scene.stateOf(old.instanceId)).toBe('terminated');
    for (const id of volumeIds) expect(scene.sim.core.region.volumes.get(id)?.state).toBe('available');
  });
});

test('records and registrations by the address stay what they are', async () => {
  const { options } = NAMED;
  const stage = await staged(options, async (scene, old) => {
    await nameMember(scene, old);
    const { arn } = scene.sim.balancing.make({
      name: 'byip',
      port: 90,
      targetType: 'ip',
      vpcId: scene.sim.core.region.vpcs.all()[0]?.id ?? '',
      loadBalancerArn: scene.sim.balancing.groups()[0]?.loadBalancerArn ?? '',
    });
    scene.sim.seedTargets(arn, [{ Id: old.privateIp }]);
  });
  const { scene, old } = stage;
  const newInstanceId = await finished(stage);
  checkSafety(scene, old);
  expect(valuesOf(scene, PUBLIC_ZONE, 'db.example.com.')).toEqual([old.privateIp]);
  expect(registered(scene).toSorted()).toEqual([`${newInstanceId}:80`, `${newInstanceId}:8080`]);
  const byIp = scene.sim.balancing.groups().find((one) => one.name === 'byip');
  const targets = [...(byIp ? scene.sim.balancing.require(byIp.arn).targets.values() : [])];
  expect(targets.map((one) => [one.id, one.drainsUntilMs])).toEqual([[old.privateIp, null]]);
});

/** An earlier recovery of the instance has left a Start open. */
function startMayLand(scene: RecoveryFixture): void {
  const { record } = scene.intent();
  const plan = { ...record.plan, startMayLand: true };
  const value = serializeRecord({ ...record, plan });
  scene.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.intent(record.member), value }] });
}

test('a Stop of a late start that has no answer is told as open', async () => {
  const stage = await staged();
  const { scene, old } = stage;
  startMayLand(scene);
  scene.sim.core.region.deniedActions.add('TerminateInstances');
  expect(await runOnce(stage)).toBe('held');
  scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
  await scene.clock.advance(60_000);
  expect(scene.stateOf(old.instanceId)).toBe('running');
  const fault = { id: 'late', action: 'StopInstances', kind: 'late-landing', delayMs: 600_000 } as const;
  scene.sim.addFault({ ...fault, times: 1 });
  expect(await runOnce(stage)).toBe('held');
  expect([scene.sim.fired('late'), scene.stateOf(old.instanceId)]).toEqual([1, 'stopped']);
  scene.ask('abandon');
  expect(await runOnce(stage), JSON.stringify(scene.hold())).toBe('finished');
  expect(scene.history()[0]?.lateCalls).toEqual(['stop']);
});
