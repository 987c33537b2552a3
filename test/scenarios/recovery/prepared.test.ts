import { type KvWrite, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished } from './checks.ts';
import { KEYS, MEMBER } from './recovery-fixture.ts';
import { checkDisks, disksOf, REATTACH } from './reattach-scene.ts';
import { checkUntouched, die, forget, leftOf, preparationOf, prepareIt, preparing, refute } from './prepared-scene.ts';

const instanceOf = ({ scene, opId }: Awaited<ReturnType<typeof preparing>>) =>
  scene.sim.core.region.instances.all().find((one) => one.tags[TAG.op] === opId);

describe('a seed that is made while its member is suspect', () => {
  test('is stopped, has none of the member’s tags, and takes nothing from it', async () => {
    const stage = await preparing(REATTACH, ['seed']);
    const leader = stage.scene.lead();
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'made' });
    const seed = instanceOf(stage);
    expect(seed?.state).toBe('stopped');
    expect(seed?.tags[TAG.member]).toBeUndefined();
    expect(seed?.tags[TAG.preparedFor]).toBe(MEMBER);
    expect(seed?.request.UserData).toBeUndefined();
    checkUntouched(stage);
  });

  test('becomes the member in the recovery that takes it over, and nothing else is launched', async () => {
    const stage = await preparing({ ...REATTACH, request: { UserData: 'bWVtYmVyOiB4' } }, ['seed']);
    const { scene, old } = stage;
    const leader = scene.lead();
    await prepareIt(stage, leader);
    const seed = instanceOf(stage);
    await die(stage);
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    expect(newInstanceId).toBe(seed?.id);
    checkDisks(stage, newInstanceId);
    const became = scene.sim.core.region.instances.get(newInstanceId);
    expect(became?.tags).toMatchObject({ [TAG.member]: MEMBER.split('/')[1], [TAG.group]: 'db' });
    expect(scene.history()[0]?.prepared?.makes).toEqual(['seed']);
    await checkCollected(scene, old, leader, newInstanceId);
  });

  test('is ended when its member is heard again, with its permit, and nothing of it is left', async () => {
    const stage = await preparing(REATTACH, ['seed']);
    const { scene } = stage;
    const leader = scene.lead();
    await prepareIt(stage, leader);
    refute(stage);
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'removed' });
    expect(leftOf(stage)).toEqual([]);
    expect(instanceOf(stage)?.state).toBe('terminated');
    checkUntouched(stage);
  });

  test('is not waited for: its recovery goes on from wherever it is', async () => {
    const stage = await preparing(REATTACH, ['seed']);
    const { scene, old } = stage;
    const leader = scene.lead();
    const preparation = preparationOf(stage);
    if (!preparation) throw new Error('no preparation');
    const work = leader.engine.prepare(preparation, leader.term);
    while (instanceOf(stage) === undefined) await scene.clock.advance(100);
    await die(stage);
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    expect((await work).kind).toBe('parked');
    checkDisks(stage, checkFinished(scene, old));
    expect(scene.kv.entries(KEYS.preparations)).toEqual([]);
  });
});

test('nothing of a preparation is written beside an intent, and nothing that has a recovery’s name is ended', async () => {
  const stage = await preparing(REATTACH, ['seed']);
  const { scene, old, opId } = stage;
  const leader = scene.lead();
  await scene.begin(old);
  const preparation = preparationOf(stage);
  if (!preparation) throw new Error('no preparation');
  const outcome = await scene.clock.runUntilSettled(leader.engine.prepare(preparation, leader.term));
  expect(outcome).toMatchObject({ kind: 'parked', why: expect.stringContaining('under way') });
  expect([scene.kv.entries(KEYS.journalOf(opId)), leftOf(stage)]).toEqual([[], []]);
  scene.sim.crashInstance(old.instanceId);
  const work = leader.engine.run(scene.intent(), leader.term);
  while (scene.launchedFor(old.instanceId).length === 0) await scene.clock.advance(500);
  leader.endTerm();
  await scene.clock.runUntilSettled(work);
  const next = scene.lead();
  refute(stage);
  const dropped = preparationOf(stage);
  if (!dropped) throw new Error('no preparation');
  const again = await scene.clock.runUntilSettled(next.engine.prepare(dropped, next.term));
  expect(again).toMatchObject({ kind: 'parked', why: expect.stringContaining('has its name') });
  const [launched = ''] = scene.launchedFor(old.instanceId);
  expect(scene.stateOf(launched)).not.toBe('terminated');
});

describe('snapshots that are made while their member is suspect', () => {
  test('are not what is restored, and go with the recovery', async () => {
    const stage = await preparing({}, ['snapshot']);
    const { scene, old, opId } = stage;
    const leader = scene.lead();
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'made' });
    const early = scene.sim.core.region.snapshots.all().filter((one) => one.tags[TAG.op] === opId);
    expect(early.map((one) => one.tags[TAG.preparedFor])).toEqual([MEMBER, MEMBER]);
    await die(stage);
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    const used = Object.values(disksOf(scene, newInstanceId)).map(
      (id) => scene.sim.core.region.volumes.get(id)?.snapshotId,
    );
    expect(early.filter((one) => used.includes(one.id))).toEqual([]);
    await checkCollected(scene, old, leader, newInstanceId);
  });

  test('are left to a recovery that is planned with them, until it is over', async () => {
    const stage = await preparing({}, ['snapshot']);
    const { scene, opId } = stage;
    const leader = scene.lead();
    await prepareIt(stage, leader);
    const [used, ...others] = leftOf(stage);
    // So that EC2 shows both.
    await scene.clock.advance(60_000);
    refute(stage);
    const put = (writes: readonly KvWrite[]) => scene.kv.apply({ compare: [], writes });
    put([{ kind: 'put', key: KEYS.intent('db/other'), value: `{"from":"${used}"}` }]);
    const look = async () => {
      const dropped = preparationOf(stage);
      if (!dropped) throw new Error('no preparation');
      return scene.clock.runUntilSettled(leader.engine.prepare(dropped, leader.term));
    };
    expect(await look()).toMatchObject({ kind: 'parked', why: expect.stringContaining(`${used} (a recovery`) });
    expect(others).toHaveLength(1);
    expect(leftOf(stage), opId).toEqual([used]);
    put([{ kind: 'delete', key: KEYS.intent('db/other') }]);
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'removed' });
    expect(leftOf(stage)).toEqual([]);
  });

  test('are deleted when it is heard again', async () => {
    const stage = await preparing({}, ['snapshot']);
    const leader = stage.scene.lead();
    await prepareIt(stage, leader);
    expect(leftOf(stage)).toHaveLength(2);
    refute(stage);
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'removed' });
    expect(leftOf(stage)).toEqual([]);
    checkUntouched(stage);
  });
});

describe('what a leader sends that was paused for longer than its preparation is remembered', () => {
  const PAUSED_MS = 3_600_000;

  test.each([
    ['snapshots', 'CreateSnapshots', {}, 'snapshot'],
    ['a permit', 'CreateNetworkInterface', REATTACH, 'seed'],
  ] as const)('%s, is found by its name and removed', async (_what, action, options, kind) => {
    const stage = await preparing(options, [kind]);
    const { scene } = stage;
    const paused = scene.lead();
    const preparation = preparationOf(stage);
    if (!preparation) throw new Error('no preparation');
    scene.sim.addFault({ id: 'paused', action, kind: 'late-landing', delayMs: PAUSED_MS, times: 1_000 });
    const work = paused.engine.prepare(preparation, paused.term);
    while (scene.sim.fired('paused') === 0) await scene.clock.advance(100);
    paused.endTerm();
    await scene.clock.runUntilSettled(work);
    expect(scene.sim.removeFault('paused')).toBe(1);
    refute(stage);
    const leader = scene.lead();
    expect(await prepareIt(stage, leader)).toEqual({ kind: 'removed' });
    forget(stage);
    // And so much longer that EC2 shows it.
    await scene.clock.advance(PAUSED_MS + 60_000);
    expect(leftOf(stage), 'it has landed').not.toEqual([]);
    const swept = await scene.clock.runUntilSettled(scene.collector(leader).collect(leader.term));
    expect(swept.violations).toEqual([]);
    expect(leftOf(stage)).toEqual([]);
    checkUntouched(stage);
  });
});
