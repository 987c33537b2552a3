import { joinedChanges } from '@understudy/shared/testing';
import type { SeededInstance } from '@understudy/cloud-sim';
import { clientTokenOf, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { KEYS, type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Prepared {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly leader: Leader;
}

async function staged(options: RecoveryFixtureOptions = {}, zones: readonly string[] = []): Promise<Prepared> {
  const scene = new RecoveryFixture(options);
  placeIn(scene, zones);
  const old = scene.seedMember(MEMBER, options);
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  return { scene, old, leader: scene.lead() };
}

function placeIn(scene: RecoveryFixture, zones: readonly string[]): void {
  const { subnets } = scene.sim.defaultResources;
  scene.policy.recover.placements.splice(0, Infinity, ...zones.map((az) => ({ subnetId: subnets[az] ?? '' })));
}

const run = ({ scene, leader }: Prepared) => scene.run(leader, scene.intent());

async function held(stage: Prepared, reason: string): Promise<void> {
  expect(await run(stage), JSON.stringify(stage.scene.hold())).toBe('held');
  expect(stage.scene.hold()?.reason).toBe(reason);
}

/** EC2 refuses this type in every zone: the case of an arm64 type for an x86_64 image. */
async function unplaceable(policy: RecoveryFixtureOptions['policy'] = {}): Promise<Prepared> {
  const stage = await staged({ policy: joinedChanges({ recover: { maxLaunchAttempts: 3 } }, policy) }, ['us-east-1a']);
  stage.scene.sim.addFault({
    id: 'wrong',
    action: 'RunInstances',
    kind: 'error',
    code: 'Unsupported',
    httpStatus: 400,
    times: 1,
  });
  await held(stage, 'NoPlacementLeft');
  return stage;
}

const tokensSent = ({ scene }: Prepared): readonly string[] =>
  scene.sim.log.calls('RunInstances').map((call) => String((call.input as { ClientToken?: string }).ClientToken));

describe('retry', () => {
  test('forgets the tries that were spent and goes on, with who and why in the history', async () => {
    const stage = await unplaceable();
    const { scene, old } = stage;
    expect(await run(stage)).toBe('held');
    scene.ask('retry', { by: 'ann', why: 'the type exists now' });
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old);
    expect(scene.history()[0]?.acts).toMatchObject([{ kind: 'retry', by: 'ann', why: 'the type exists now' }]);
    expect(scene.kv.entries(KEYS.requests)).toEqual([]);
  });

  test('one about another recovery touches nothing', async () => {
    const stage = await unplaceable();
    const { scene } = stage;
    scene.ask('retry', { opId: 'op-0123456789abcdef' });
    expect(await run(stage)).toBe('held');
    expect([scene.intent().record.acts, scene.kv.entries(KEYS.requests).length]).toEqual([undefined, 1]);
  });
});

describe('replan', () => {
  test('a plan that cannot work is made again from the policy of now: another attempt, another token, one launch', async () => {
    const stage = await unplaceable();
    const { scene, old } = stage;
    const snapshots = scene.sim.core.region.snapshots.all().map((one) => one.id);
    placeIn(scene, ['us-east-1b']);
    expect(await run(stage)).toBe('held');
    scene.ask('replan');
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    expect(scene.sim.core.region.instances.get(newInstanceId)?.az).toBe('us-east-1b');
    expect([...new Set(tokensSent(stage))]).toEqual(
      [1, 2].map((attempt) => clientTokenOf(old.instanceId, 'launch', attempt)),
    );
    expect(scene.sim.core.region.snapshots.all().map((one) => one.id)).toEqual(snapshots);
    expect(scene.history()[0]).toMatchObject({
      launchAttempts: 2,
      acts: [{ kind: 'replan', text: expect.stringContaining('us-east-1b') }],
    });
  });

  test.each([
    ['recover', 'us-east-1c'],
    ['hold', 'us-east-1b'],
  ] as const)('when a zone was lost since: whenZoneLost %s plans %s', async (whenZoneLost, az) => {
    const stage = await unplaceable({
      guard: { whenZoneLost },
      recover: { placements: [{ subnetId: 'put in below' }] },
    });
    const { scene, old } = stage;
    placeIn(scene, ['us-east-1b', 'us-east-1c']);
    scene.lostZones = ['us-east-1b'];
    scene.ask('replan');
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    expect(scene.sim.core.region.instances.get(checkFinished(scene, old))?.az).toBe(az);
  });

  test('when every zone it might go to is lost, the old plan stays, and says why', async () => {
    const stage = await unplaceable({
      guard: { whenZoneLost: 'recover' },
      recover: { placements: [{ subnetId: 'put in below' }] },
    });
    const { scene, old } = stage;
    placeIn(scene, ['us-east-1b', 'us-east-1c']);
    scene.lostZones = ['us-east-1b', 'us-east-1c'];
    const before = scene.intent().record.plan;
    scene.ask('replan');
    expect(await run(stage)).toBe('held');
    expect(scene.intent().record.plan).toEqual(before);
    expect(scene.intent().record.acts?.[0]?.text).toContain('outside of us-east-1b, us-east-1c');
    expect(scene.launchedFor(old.instanceId)).toEqual([]);
    scene.lostZones = [];
    scene.ask('replan');
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
  });

  test('a replacement that was launched is ended first', async () => {
    const stage = await staged({ policy: { recover: { verifyTimeoutMs: 3_600_000 } } }, ['us-east-1a']);
    const { scene, old } = stage;
    scene.silent.add('*');
    const running = stage.leader.engine.run(scene.intent(), stage.leader.term);
    await scene.clock.advance(300_000);
    const [first = ''] = scene.launchedFor(old.instanceId);
    expect(scene.stateOf(first)).toBe('running');
    placeIn(scene, ['us-east-1b']);
    scene.ask('replan');
    stage.leader.engine.interrupt(opIdOf(old.instanceId));
    expect(await scene.clock.runUntilSettled(running)).toBe('parked');
    scene.silent.clear();
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old, { launches: 2 });
    expect(scene.stateOf(first)).toBe('terminated');
  });

  test('one whose launch lands after its call was given up is found and ended, not left beside the new one', async () => {
    const stage = await staged(
      { policy: { recover: { launchTimeoutMs: 60_000 } }, settings: { sendLimitMs: 20_000 } },
      ['us-east-1a'],
    );
    const { scene, old } = stage;
    scene.sim.addFault({ id: 'late', action: 'RunInstances', kind: 'late-landing', delayMs: 90_000 });
    const running = stage.leader.engine.run(scene.intent(), stage.leader.term);
    for (let waited = 0; scene.sim.fired('late') === 0 && waited < 600; waited += 1) await scene.clock.advance(1_000);
    placeIn(scene, ['us-east-1b']);
    scene.ask('replan');
    stage.leader.engine.interrupt(opIdOf(old.instanceId));
    await scene.clock.runUntilSettled(running);
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    await scene.clock.advance(300_000);
    checkFinished(scene, old, { launches: 'any' });
  });

  test.each<[string, (stage: Prepared) => void, string]>([
    [
      'the policy still has nothing that works',
      ({ scene }) => scene.policy.recover.placements.push({ subnetId: 'subnet-0000' }),
      'subnet-0000',
    ],
    [
      'the old instance is gone',
      ({ scene, old }) => scene.sim.seed('TerminateInstances', { InstanceIds: [old.instanceId] }),
      'InstanceGone',
    ],
  ])('refused, and the old plan stays: %s', async (_, spoil, text) => {
    const stage = await unplaceable();
    const { scene } = stage;
    const { plan } = scene.intent().record;
    scene.policy.recover.placements.splice(0, Infinity);
    spoil(stage);
    scene.ask('replan');
    await run(stage);
    const { record } = scene.intent();
    expect([record.plan, record.planRevision]).toEqual([plan, undefined]);
    expect(record.acts).toMatchObject([{ kind: 'replan', text: expect.stringContaining('refused') }]);
    expect(record.acts?.[0]?.text).toContain(text);
    expect(scene.kv.entries(KEYS.requests)).toEqual([]);
  });
});

describe('accept-loss', () => {
  test('an address that is with somebody else is given up, and stays there', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    const third = scene.seedMember('other/one', { elasticIp: false });
    const address = scene.sim.core.region.addresses.get(old.allocationId ?? '');
    scene.sim.seed('DisassociateAddress', { AssociationId: address?.associationId ?? '' });
    scene.sim.seed('AssociateAddress', { AllocationId: old.allocationId ?? '', InstanceId: third.instanceId });
    await held(stage, 'AddressHeldElsewhere');
    scene.ask('accept-loss', { loss: `address:${old.allocationId}` });
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    const after = scene.sim.core.region.addresses.get(old.allocationId ?? '');
    expect(scene.holderOf(after?.networkInterfaceId ?? '')).toBe(third.instanceId);
    expect(scene.history()[0]).toMatchObject({
      outcome: 'replaced',
      losses: [{ code: 'AcceptedLoss', text: expect.stringContaining(old.allocationId ?? '-') }],
    });
  });

  test('a data volume that was taken off: not while it is attached, not the root, and then the replacement has no such disk', async () => {
    const stage = await staged({ dataVolumes: 2 });
    const { scene } = stage;
    const { volumes } = scene.intent().record.plan;
    const [root, data] = [volumes[0]?.volumeId ?? '', volumes[2]?.volumeId ?? ''];
    scene.sim.addFault({
      id: 'busy',
      action: 'CreateSnapshots',
      kind: 'error',
      code: 'InvalidParameterValue',
      httpStatus: 400,
      times: 1,
    });
    await held(stage, 'CaptureFailed');
    for (const volumeId of [data, root, 'vol-0123']) {
      scene.ask('accept-loss', { loss: `volume:${volumeId}` });
      scene.sim.addFault({
        id: `busy-${volumeId}`,
        action: 'CreateSnapshots',
        kind: 'error',
        code: 'InvalidParameterValue',
        httpStatus: 400,
        times: 1,
      });
      await run(stage);
    }
    expect(scene.intent().record.acts?.map((one) => one.text)).toMatchObject([
      expect.stringContaining('detach it'),
      expect.stringContaining('root volume'),
      expect.stringContaining('no volume of the plan'),
    ]);
    scene.sim.clearFaults();
    scene.sim.seed('DetachVolume', { VolumeId: data });
    await scene.clock.advance(60_000);
    scene.ask('accept-loss', { loss: `volume:${data}` });
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = scene.history()[0]?.newInstanceId ?? '';
    expect(scene.sim.core.region.instances.get(newInstanceId)?.volumeIds).toHaveLength(2);
  });
});

describe('abandon', () => {
  const begunAgain = async (stage: Prepared): Promise<void> => {
    const { scene, old } = stage;
    expect(scene.activation()).toMatchObject({ instanceId: old.instanceId, incarnation: 1, ordinal: 1 });
    await scene.begin(old);
    const again = await scene.run(scene.lead(), scene.intent());
    expect(again, JSON.stringify(scene.hold())).toBe('finished');
    const launched = scene.launchedFor(old.instanceId, 1);
    expect(launched).toHaveLength(1);
    expect(scene.activation()).toMatchObject({
      instanceId: launched[0],
      incarnation: 2,
      opId: opIdOf(old.instanceId, 1),
    });
    expect(
      scene
        .history()
        .map((one) => one.outcome)
        .sort(),
    ).toEqual(['abandoned', 'replaced']);
    expect(tokensSent(stage)).toContain(clientTokenOf(old.instanceId, 'launch', 1, 1));
  };

  test('ends what is held, says what is left, and the same instance can be recovered again under names of its own', async () => {
    const stage = await unplaceable();
    const { scene } = stage;
    scene.ask('abandon', { by: 'ann', why: 'starting it by hand' });
    expect(await run(stage)).toBe('finished');
    const [record] = scene.history();
    expect(record).toMatchObject({
      outcome: 'abandoned',
      newInstanceId: null,
      fencedBy: 'stopped',
      acts: [{ kind: 'abandon', by: 'ann' }],
    });
    expect(record?.leftAs?.join('\n')).toMatch(
      /is stopped, by us.*\nsnapshots snap-.*\nimage ami-.*\n.*was not moved/s,
    );
    expect(record?.leftovers.map((one) => one.kind).sort()).toEqual(['image', 'snapshot', 'snapshot']);
    for (const prefix of [KEYS.intents, KEYS.journal, KEYS.holds, KEYS.requests])
      expect(scene.kv.entries(prefix)).toEqual([]);
    await begunAgain(stage);
  });

  test('a replacement that runs and was never activated is terminated first', async () => {
    const stage = await staged({ policy: { recover: { verifyTimeoutMs: 3_600_000 } } });
    const { scene, old } = stage;
    scene.silent.add('*');
    const running = stage.leader.engine.run(scene.intent(), stage.leader.term);
    await scene.clock.advance(300_000);
    scene.ask('abandon');
    stage.leader.engine.interrupt(opIdOf(old.instanceId));
    await scene.clock.runUntilSettled(running);
    expect(await run(stage)).toBe('finished');
    expect(scene.launchedFor(old.instanceId).map((id) => scene.stateOf(id))).toEqual(['terminated']);
    expect(scene.sim.core.region.networkInterfaces.all().filter((one) => !scene.seededIds.has(one.id))).toEqual([]);
    scene.silent.clear();
    await begunAgain(stage);
  });

  test('left open where that is asked for: the history names the replacement and its permit', async () => {
    const stage = await staged({ policy: { recover: { verifyTimeoutMs: 3_600_000 } } });
    const { scene, old } = stage;
    scene.silent.add('*');
    const running = stage.leader.engine.run(scene.intent(), stage.leader.term);
    await scene.clock.advance(300_000);
    scene.ask('abandon', { leaveOpen: true });
    stage.leader.engine.interrupt(opIdOf(old.instanceId));
    await scene.clock.runUntilSettled(running);
    expect(await run(stage)).toBe('finished');
    const [launched = ''] = scene.launchedFor(old.instanceId);
    expect(scene.stateOf(launched)).toBe('running');
    expect(scene.history()[0]?.leftAs?.join('\n')).toContain(`instance ${launched}, launched and never activated`);
    checkSafety(scene, old);
  });

  test('refused once the replacement is in charge: the recovery goes on to its end', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    scene.sim.addFault({
      id: 'denied',
      action: 'DisassociateAddress',
      kind: 'error',
      code: 'UnauthorizedOperation',
      httpStatus: 403,
      times: 1,
    });
    await held(stage, 'CloudDenied');
    scene.ask('abandon');
    expect(await run(stage), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old);
    expect(scene.history()[0]?.acts?.[0]?.text).toContain('refused: its replacement is in charge');
  });
});
