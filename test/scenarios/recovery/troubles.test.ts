import type { Fault, SeededInstance } from '@understudy/cloud-sim';
import { opIdOf, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { KEYS, type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Prepared {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly leader: Leader;
}

async function staged(options: RecoveryFixtureOptions = {}, zones: readonly string[] = []): Promise<Prepared> {
  const scene = new RecoveryFixture(options);
  const { subnets } = scene.sim.defaultResources;
  scene.policy.recover.placements.push(...zones.map((az) => ({ subnetId: subnets[az] ?? '' })));
  const old = scene.seedMember(MEMBER, options);
  await scene.begin(old);
  return { scene, old, leader: scene.lead() };
}

const finish = async ({ scene, old, leader }: Prepared, launches = 1): Promise<string> => {
  expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old, { launches });
  expect(await checkCollected(scene, old, leader, newInstanceId)).toEqual([]);
  return newInstanceId;
};

const MUTATING = [
  'StopInstances',
  'CreateNetworkInterface',
  'CreateSnapshots',
  'RegisterImage',
  'RunInstances',
  'DisassociateAddress',
  'AssociateAddress',
  'CreateTags',
  'ModifyNetworkInterfaceAttribute',
] as const;

const FAULTS: readonly Omit<Fault, 'id' | 'action'>[] = [
  { kind: 'timeout-after-success' },
  { kind: 'timeout-before' },
  { kind: 'late-landing', delayMs: 20_000 },
  { kind: 'late-landing', delayMs: 900_000 },
  { kind: 'throttle', times: 8 },
  { kind: 'error', code: 'InternalError', httpStatus: 500, times: 3 },
];

describe('one call goes wrong', () => {
  const cases = MUTATING.flatMap((action) =>
    FAULTS.map((fault) => ({ action, fault, name: `${fault.kind} ${fault.delayMs ?? ''}` })),
  );
  test.each(cases)('$action: $name', async ({ action, fault }) => {
    const stage = await staged();
    stage.scene.sim.addFault({ id: 'f', action, ...fault });
    await finish(stage);
    expect(stage.scene.sim.fired('f')).toBe(fault.times ?? 1);
  });

  test('a call that lands after its attempt was revoked launches nothing', async () => {
    const stage = await staged({ policy: { recover: { maxLaunchAttempts: 4 } } }, ['us-east-1a', 'us-east-1b']);
    const { scene } = stage;
    scene.sim.addFault({ id: 'late', action: 'RunInstances', kind: 'late-landing', delayMs: 300_000 });
    scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
    const running = scene.run(stage.leader, scene.intent());
    expect(await running).toBe('finished');
    scene.sim.setCapacity('us-east-1a', 't3.micro', null);
    await scene.clock.advance(600_000);
    expect(scene.sim.fired('late')).toBe(1);
    const landed = scene.sim.log.calls('RunInstances').filter((call) => call.faults.length === 0 || !call.executed);
    expect(landed.length).toBeGreaterThan(1);
    checkFinished(scene, stage.old);
  });
});

describe('a permit that EC2 does not know yet', () => {
  const LAG_MS = 30_000;

  /** Attempt 2 ends before EC2 knows its permit; its launch call lands in attempt 3. */
  async function endsEarly(createdLagMs: number): Promise<Prepared> {
    // A later version of it would be shown sooner than the first.
    const lag = [createdLagMs, createdLagMs] as const;
    const latency = { 'consistency.created': lag, 'network-interface.create': lag } as const;
    const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
    const stage = await staged({ latency, policy: { recover: { maxLaunchAttempts: 4 } } }, zones);
    const { sim } = stage.scene;
    // Refused before EC2 looks at the request: the launch API need not know the permit either.
    const full = {
      action: 'RunInstances',
      kind: 'error',
      code: 'InsufficientInstanceCapacity',
      httpStatus: 500,
    } as const;
    sim.addFault({ ...full, id: 'full' });
    sim.addFault({ id: 'late', action: 'RunInstances', kind: 'late-landing', delayMs: 120_000, afterCalls: 1 });
    sim.addFault({ ...full, id: 'full again', afterCalls: 2 });
    return stage;
  }

  const deletions = ({ scene }: Prepared) => scene.sim.log.calls('DeleteNetworkInterface').map((call) => call.outcome);

  test('"not found" does not end the attempt: it is deleted once EC2 knows it, and the late launch finds nothing', async () => {
    const stage = await endsEarly(LAG_MS);
    const { scene } = stage;
    expect(await scene.run(stage.leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    await scene.clock.advance(300_000);
    checkFinished(scene, stage.old);
    expect([scene.sim.fired('late'), scene.sim.fired('full again')]).toEqual([1, 1]);
    expect(deletions(stage)).toContain('InvalidNetworkInterfaceID.NotFound');
    expect(deletions(stage).filter((outcome) => outcome === 'ok')).toHaveLength(2);
    expect(scene.history()[0]?.launchAttempts).toBe(3);
  });

  test('somebody else deleted it before it was ever shown: believed after as long as EC2 may take to know it', async () => {
    const stage = await endsEarly(LAG_MS);
    const { scene } = stage;
    const unsubscribe = scene.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'DeleteNetworkInterface' || event.outcome === 'ok') return;
      unsubscribe();
      const [permit] = scene.sim.core.region.networkInterfaces.all().filter((one) => one.tags[TAG.attempt] === '2');
      scene.clock.setTimer(10, () => scene.sim.seed('DeleteNetworkInterface', { NetworkInterfaceId: permit?.id }));
    });
    const fromMs = scene.clock.monotonicMs();
    expect(await scene.run(stage.leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.clock.monotonicMs() - fromMs).toBeGreaterThan(60_000);
    expect(
      deletions(stage).filter((outcome) => outcome === 'InvalidNetworkInterfaceID.NotFound').length,
    ).toBeGreaterThan(2);
    await scene.clock.advance(300_000);
    checkFinished(scene, stage.old);
  });

  test('shown, deleted, and the reply lost: "not found" is believed at once', async () => {
    const stage = await endsEarly(0);
    const { scene } = stage;
    scene.sim.addFault({ id: 'lost', action: 'DeleteNetworkInterface', kind: 'timeout-after-success', afterCalls: 1 });
    expect(await scene.run(stage.leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    expect(deletions(stage)).toEqual(['ok', 'lost', 'InvalidNetworkInterfaceID.NotFound']);
    const [, lostAtMs = 0] = scene.sim.log.calls('DeleteNetworkInterface').map((call) => call.atMs);
    const nextPermit = scene.sim.log.calls('CreateNetworkInterface').at(-1);
    expect((nextPermit?.atMs ?? 0) - lostAtMs).toBeLessThan(15_000);
    await scene.clock.advance(300_000);
    checkFinished(scene, stage.old);
  });
});

describe('EC2 in trouble', () => {
  test('a throttle storm over everything is waited out', async () => {
    const stage = await staged();
    stage.scene.sim.addFault({ id: 'storm', action: '*', kind: 'throttle', times: 60 });
    await finish(stage);
    expect(stage.scene.sim.fired('storm')).toBe(60);
  });

  test('stale reads everywhere do not mislead it', async () => {
    const stage = await staged();
    for (const action of [
      'DescribeInstances',
      'DescribeAddresses',
      'DescribeSnapshots',
      'DescribeNetworkInterfaces',
      'DescribeImages',
    ])
      stage.scene.sim.addFault({ id: action, action, kind: 'stale-read', delayMs: 10_000, times: 1_000 });
    await finish(stage);
    expect(stage.scene.sim.fired('DescribeInstances')).toBeGreaterThan(5);
  });

  test('no capacity at the first placement: the next one', async () => {
    const stage = await staged({}, ['us-east-1a', 'us-east-1b']);
    stage.scene.sim.setCapacity('us-east-1a', 't3.micro', 0);
    const newInstanceId = await finish(stage);
    expect(stage.scene.sim.core.region.instances.get(newInstanceId)?.az).toBe('us-east-1b');
    expect(stage.scene.history()[0]?.launchAttempts).toBe(2);
  });

  test('no capacity anywhere: one pause, then the first placement again', async () => {
    const stage = await staged({}, ['us-east-1a']);
    stage.scene.sim.addFault({ id: 'full', action: 'RunInstances', kind: 'capacity' });
    const startedAtMs = stage.scene.clock.monotonicMs();
    expect(await stage.scene.run(stage.leader, stage.scene.intent())).toBe('finished');
    expect(stage.scene.sim.fired('full')).toBe(1);
    expect(stage.scene.clock.monotonicMs() - startedAtMs).toBeGreaterThan(60_000);
    checkFinished(stage.scene, stage.old);
  });

  test('launched, then terminated: ended, and launched once more', async () => {
    const stage = await staged();
    stage.scene.sim.addFault({ id: 'doomed', action: 'RunInstances', kind: 'launch-then-terminate' });
    await finish(stage, 2);
    expect(stage.scene.sim.fired('doomed')).toBe(1);
  });

  test('a snapshot set that fails is replaced by a new one', async () => {
    const stage = await staged();
    stage.scene.sim.addFault({ id: 'bad', action: 'CreateSnapshots', kind: 'snapshot-error', times: 2 });
    await finish(stage);
    expect(stage.scene.sim.fired('bad')).toBe(2);
  });

  test('three failed snapshot sets: held', async () => {
    const { scene, leader } = await staged();
    scene.sim.addFault({ id: 'bad', action: 'CreateSnapshots', kind: 'snapshot-error', times: 3 });
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CaptureFailed', opId: scene.intent().record.opId });
  });

  test('permission taken away: held, and resumed as recorded when it is back', async () => {
    const stage = await staged();
    const { scene } = stage;
    scene.sim.setDeniedActions(['RunInstances']);
    expect(await scene.run(stage.leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('CloudDenied');
    scene.sim.setDeniedActions([]);
    await finish(stage);
    const tokens = new Set(scene.sim.log.calls('RunInstances').map((call) => call.clientToken));
    expect(tokens.size).toBe(1);
  });
});

describe('fence', () => {
  test('stuck in stopping: held, nothing captured or launched; resumed when it has stopped', async () => {
    const stage = await staged({ policy: { recover: { fenceTimeoutMs: 120_000 } } });
    const { scene, old, leader } = stage;
    scene.sim.addFault({ id: 'stuck', action: 'StopInstances', kind: 'stuck-stopping', delayMs: 900_000, times: 1 });
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.sim.fired('stuck')).toBe(1);
    expect(scene.hold()?.reason).toBe('FenceNotProven');
    expect(scene.sim.log.calls('CreateSnapshots')).toHaveLength(0);
    expect(scene.stateOf(old.instanceId)).toBe('stopping');
    await scene.clock.advance(1_200_000);
    await finish(stage);
  });

  test('already stopped: believed only after a Stop of ours and two reads', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    scene.sim.shutDownFromInside(old.instanceId);
    await scene.clock.advance(60_000);
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    await finish(stage);
    expect(scene.sim.log.calls('StopInstances').length).toBeGreaterThan(0);
  });

  test('already terminated, its volumes deleted: held with what is lost', async () => {
    const { scene, old, leader } = await staged();
    scene.sim.takeDown(old.instanceId, 'Server.InternalError', 'terminate');
    await scene.clock.advance(120_000);
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('CaptureFailed');
    expect(scene.hold()?.text).toContain(Object.values(old.volumeIds)[0]);
    expect(scene.launchedFor(old.instanceId)).toEqual([]);
  });

  test('started again after the fence: never activated beside it', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    const unsubscribe = scene.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'RunInstances' || event.outcome !== 'ok') return;
      unsubscribe();
      scene.clock.setTimer(10, () => scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] }));
    });
    expect(await scene.run(stage.leader, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'FenceNotProven' });
    expect(scene.activation()?.instanceId).toBe(old.instanceId);
    scene.sim.seed('StopInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.advance(60_000);
    expect(await scene.run(stage.leader, scene.intent())).toBe('finished');
    checkFinished(scene, old);
  });
});

describe('attempts', () => {
  test('a leader that cannot hear condemns no replacement: held until it can, then served by the one that waits', async () => {
    const stage = await staged({ policy: { recover: { verifyTimeoutMs: 30_000, maxLaunchAttempts: 2 } } });
    const { scene, old, leader } = stage;
    scene.silent.add('*');
    scene.abstains = true;
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'ObserverUnwell' });
    await scene.clock.advance(600_000);
    scene.silent.clear();
    scene.abstains = false;
    await finish(stage, 1);
    expect(scene.launchedFor(old.instanceId)).toHaveLength(1);
  });

  test('a mute replacement is terminated before the next one; after the last: held; hold removed: a new round', async () => {
    const stage = await staged({ policy: { recover: { verifyTimeoutMs: 30_000, maxLaunchAttempts: 2 } } });
    const { scene, old, leader } = stage;
    scene.silent.add('*');
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('LaunchAttemptsExhausted');
    expect(scene.launchedFor(old.instanceId)).toHaveLength(2);
    expect(scene.launchedFor(old.instanceId).map((id) => scene.stateOf(id))).toEqual(['terminated', 'terminated']);
    // Tried again with the hold in place: still held, nothing launched.
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.launchedFor(old.instanceId)).toHaveLength(2);
    scene.silent.clear();
    scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.hold(MEMBER) }] });
    await finish(stage, 3);
  });

  test('EC2 refuses every placement: held', async () => {
    const { scene, leader } = await staged({}, ['us-east-1a', 'us-east-1b']);
    scene.sim.addFault({
      id: 'no',
      action: 'RunInstances',
      kind: 'error',
      code: 'Unsupported',
      httpStatus: 400,
      times: 9,
    });
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('NoPlacementLeft');
    expect(scene.sim.fired('no')).toBe(2);
  });
});

describe('identity', () => {
  test('an address somebody else holds is never taken; given back: resumed', async () => {
    const stage = await staged();
    const { scene, old, leader } = stage;
    const other = scene.seedMember('db/other', { elasticIp: false });
    scene.sim.seed('AssociateAddress', {
      AllocationId: old.allocationId,
      InstanceId: other.instanceId,
      AllowReassociation: true,
    });
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('AddressHeldElsewhere');
    const address = scene.sim.core.region.addresses.get(old.allocationId ?? '');
    expect(scene.holderOf(address?.networkInterfaceId ?? '')).toBe(other.instanceId);
    scene.sim.seed('DisassociateAddress', { AssociationId: address?.associationId });
    await finish(stage);
  });

  test('the activation names somebody else: held, and left alone', async () => {
    const { scene, old, leader } = await staged();
    const entry = scene.kv.entries(KEYS.activation(MEMBER))[0];
    const value = (entry?.value ?? '').replace(old.instanceId, 'i-somebodyelse');
    scene.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.activation(MEMBER), value }] });
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('ClaimAgainstActivation');
    expect(scene.activation()?.instanceId).toBe('i-somebodyelse');
  });
});

describe('store', () => {
  test('the store goes away: parked; back: resumed by the same term', async () => {
    const stage = await staged();
    const { scene, leader } = stage;
    const store = scene.kv.client(leader.name);
    scene.clock.setTimer(20_000, () => store.cut('both'));
    expect(await scene.run(leader, scene.intent())).toBe('parked');
    store.heal();
    await finish(stage);
  });

  test('every reply of the store is lost once: nothing is done twice', async () => {
    const stage = await staged();
    const store = stage.scene.kv.client(stage.leader.name);
    store.inject({ kind: 'loseReply', operation: 'txn', times: 1 });
    for (const step of ['fence', 'capture', 'image', 'permit-1', 'launch-1', 'verify-1', 'activate', 'history']) {
      const matching = (txn: { writes: readonly { kind: string; key?: string }[] }) =>
        txn.writes.some((write) => write.key?.includes(step));
      store.inject({ kind: 'loseReply', operation: 'txn', times: 2, matching });
    }
    await finish(stage);
    expect(store.fired.loseReply).toBeGreaterThan(10);
  });

  test('the term ends on the way: parked at once, nothing more is sent', async () => {
    const stage = await staged();
    const { scene, old, leader } = stage;
    const endsAtMs = scene.clock.monotonicMs() + 30_000;
    scene.clock.setTimer(30_000, () => leader.endTerm());
    const outcome = await scene.run(leader, scene.intent());
    expect(outcome).toBe('parked');
    expect(scene.clock.monotonicMs()).toBeLessThan(endsAtMs + 100);
    await scene.clock.advance(600_000);
    // What was on the wire still lands; nothing is sent afterwards.
    const sentAtMs = scene.sim.log.calls().map((call) => call.atMs - call.durationMs);
    expect(Math.max(...sentAtMs)).toBeGreaterThan(0);
    expect(Math.max(...sentAtMs)).toBeLessThanOrEqual(endsAtMs);
    checkSafety(scene, old);
    await finish({ ...stage, leader: scene.lead() });
  });

  test('an unreadable journal record: held, not crashed, nothing sent', async () => {
    const { scene, old, leader } = await staged();
    const key = KEYS.journalStep(opIdOf(old.instanceId), 'fence');
    scene.kv.apply({ compare: [], writes: [{ kind: 'put', key, value: '{"schemaVersion":9}' }] });
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('RecordUnreadable');
    expect(scene.sim.log.calls('StopInstances')).toHaveLength(0);
  });

  test('a recovery that was closed is not begun again', async () => {
    const stage = await staged();
    const intent = stage.scene.intent();
    await finish(stage);
    const calls = stage.scene.sim.log.calls().length;
    expect(await stage.scene.run(stage.leader, intent)).toBe('finished');
    expect(stage.scene.sim.log.calls()).toHaveLength(calls);
  });
});

describe('side by side', () => {
  test('two recoveries at once, each with its own', async () => {
    const scene = new RecoveryFixture();
    const members = ['db/one', 'db/two'] as const;
    const olds = members.map((member) => scene.seedMember(member));
    for (const [index, old] of olds.entries()) await scene.begin(old, members[index]);
    const leader = scene.lead();
    const runs = members.map((member) => leader.engine.run(scene.intent(member), leader.term));
    expect(leader.engine.activity(opIdOf(olds[0]?.instanceId ?? ''))).not.toBeNull();
    expect(await scene.clock.runUntilSettled(Promise.all(runs))).toEqual(['finished', 'finished']);
    for (const [index, old] of olds.entries()) {
      const member = members[index];
      if (member) checkFinished(scene, old, { member });
    }
  });

  test('the wall clock stepping back and forth by hours changes nothing', async () => {
    const stage = await staged();
    const { scene } = stage;
    for (let at = 1; at < 12; at += 1) {
      scene.clock.setTimer(at * 10_000, () => scene.clock.stepWall((at % 2 === 0 ? 1 : -1) * 5 * 3_600_000));
    }
    expect(await scene.run(stage.leader, scene.intent())).toBe('finished');
    checkFinished(scene, stage.old);
  });

  test('activity says what is happening, with the progress of the snapshots', async () => {
    const { scene, leader, old } = await staged();
    const running = leader.engine.run(scene.intent(), leader.term);
    const seen: string[] = [];
    let percent = 0;
    for (let tick = 0; tick < 240; tick += 1) {
      await scene.clock.advance(500);
      const activity = leader.engine.activity(opIdOf(old.instanceId));
      if (activity) seen.push(activity.text);
      percent = Math.max(percent, activity?.captureProgressPercent ?? 0);
    }
    await scene.clock.runUntilSettled(running);
    expect(seen.some((text) => text.includes('stopping the old instance'))).toBe(true);
    expect(percent).toBeGreaterThan(20);
    expect(leader.engine.activity(opIdOf(old.instanceId))).toBeNull();
  });
});

describe('collector', () => {
  test('an old instance that was started again, or protected, is kept', async () => {
    const stage = await staged();
    const { scene, old, leader } = stage;
    await scene.run(leader, scene.intent());
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    await scene.clock.advance(2 * 86_400_000);
    const report = await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
    expect(report.kept).toMatchObject([{ kind: 'instance', id: old.instanceId }]);
    expect(scene.stateOf(old.instanceId)).toBe('running');
  });

  test('with the history gone nothing is removed: that is what a restored etcd looks like', async () => {
    const stage = await staged();
    const { scene, leader } = stage;
    await scene.run(leader, scene.intent());
    scene.kv.apply({ compare: [], writes: [{ kind: 'deletePrefix', prefix: KEYS.history }] });
    await scene.clock.advance(30 * 86_400_000);
    const report = await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
    expect(report.removed).toEqual([]);
    expect(scene.sim.core.region.snapshots.all().some((one) => one.tags[TAG.op] !== undefined)).toBe(true);
  });

  test('an instance nobody accounts for is reported, never touched', async () => {
    const stage = await staged();
    const { scene, leader } = stage;
    const { op } = TAG;
    const stray = scene.seedMember('db/stray', { elasticIp: false });
    scene.sim.seed('CreateTags', { Resources: [stray.instanceId], Tags: [{ Key: op, Value: 'op-0123456789abcdef' }] });
    scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.activation('db/stray') }] });
    const report = await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
    expect(report.violations.join()).toContain(stray.instanceId);
    expect(scene.stateOf(stray.instanceId)).toBe('running');
  });

  test('a term that ended deletes nothing', async () => {
    const stage = await staged();
    const { scene, leader } = stage;
    await scene.run(leader, scene.intent());
    await scene.clock.advance(30 * 86_400_000);
    const before = scene.sim.log.calls('DeleteSnapshot').length;
    leader.endTerm();
    await expect(scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term))).rejects.toThrow();
    expect(scene.sim.log.calls('DeleteSnapshot')).toHaveLength(before);
  });
});
