import { serializeRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'orders-db/db1';
const HOUR_MS = 3_600_000;
const PAUSE = {
  schemaVersion: 1,
  writeId: 'by-hand-1',
  writtenBy: 'me',
  writtenAtWallMs: 0,
  who: 'me',
  why: 'disk swap',
  sinceWallMs: 0,
};

async function started() {
  const world = new ScenarioCluster();
  const old = world.seed(DB1);
  world.seed('orders-db/db2', { az: 'us-east-1b' });
  world.seed('other/x', { az: 'us-east-1c' });
  await world.up();
  return { world, old };
}

const pauseText = (scope: string, over: object = {}): string =>
  serializeRecord({ ...PAUSE, scope, untilWallMs: null, ...over });

describe('a pause that is shown holds, and what holds is shown', () => {
  /** Key below pauses/, what lies there, and whom it pauses as shown. */
  const cases: readonly (readonly [key: string, value: string, scope: string, members: number])[] = [
    ['group/orders-db', pauseText('group'), 'group/orders-db', 2],
    ['group/orders-db', pauseText('global'), 'group/orders-db', 2],
    ['group/orders-db', pauseText('group/other'), 'group/orders-db', 2],
    ['group/orders-db', pauseText('member/orders-db/db2'), 'group/orders-db', 2],
    ['group/orders-db', '{"scope":"group/orders-db"', 'group/orders-db', 2],
    ['group/orders-db', pauseText('group/orders-db', { untilWallMs: 'tomorrow' }), 'group/orders-db', 2],
    ['member/orders-db/db1', pauseText('member/orders-db/db2'), 'member/orders-db/db1', 1],
    ['global', pauseText('group/orders-db'), 'global', 3],
    ['group/', pauseText('group/'), 'global', 3],
    ['group/Orders-DB', pauseText('group/Orders-DB'), 'global', 3],
    ['all', pauseText('all'), 'global', 3],
    ['member/orders-db', pauseText('member/orders-db'), 'global', 3],
    // As documented, by hand.
    ['group/orders-db', pauseText('group/orders-db'), 'group/orders-db', 2],
    ['global', pauseText('global'), 'global', 3],
    ['member/orders-db/db1', pauseText('member/orders-db/db1'), 'member/orders-db/db1', 1],
  ];

  test.each(cases)('pauses/%s with %s', async (key, value, scope, members) => {
    const { world, old } = await started();
    world.put(KEYS.pause(key), value);
    await world.clock.advance(1_000);
    for (const { coordinator } of world.nodes)
      expect(coordinator.api.status().pauses).toMatchObject([{ scope, members }]);
    const { problems } = world.mustLead().coordinator.api.status();
    const isReadable = value === pauseText(scope) && key === scope;
    expect(problems.map((one) => one.code)).toEqual(isReadable ? [] : ['RECORD_UNREADABLE']);
    if (!isReadable) expect(problems[0]?.text).toContain(KEYS.pause(key));
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1) !== null, 60_000);
    await world.clock.advance(120_000);
    expect([world.launches, world.intent(DB1)]).toEqual([0, null]);
    expect(world.hold(DB1)?.reason).toBe(isReadable ? 'Paused' : 'RecordUnreadable');
    world.remove(KEYS.pause(key));
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.mustLead().coordinator.api.status().pauses).toEqual([]);
    world.expectHealthy();
  });

  test('one that is over is neither shown nor holds; until then it is both', async () => {
    const { world, old } = await started();
    const untilWallMs = world.clock.wallMs() + 60_000;
    world.put(KEYS.pause('group/orders-db'), pauseText('group/orders-db', { untilWallMs }));
    await world.clock.advance(1_000);
    const { api } = world.mustLead().coordinator;
    expect(api.status().pauses).toMatchObject([{ scope: 'group/orders-db', untilWallMs }]);
    world.crash(old.instanceId);
    await world.clock.advance(50_000);
    expect(world.hold(DB1)).toMatchObject({ reason: 'Paused', untilWallMs });
    await world.clock.advance(10_000);
    expect(api.status().pauses).toEqual([]);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('one of nobody is said to be that, and holds nobody', async () => {
    const { world, old } = await started();
    world.put(KEYS.pause('group/orders'), pauseText('group/orders'));
    await world.clock.advance(1_000);
    const { api } = world.mustLead().coordinator;
    expect(api.status().pauses).toMatchObject([{ scope: 'group/orders', members: 0 }]);
    expect(api.status().problems).toMatchObject([
      { code: 'PAUSE_OF_NOBODY', text: expect.stringContaining('pauses/group/orders') },
    ]);
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
  });
});

test('a policy of a group without a member is said to be that', async () => {
  const { world } = await started();
  world.put(KEYS.group('orders'), { group: 'orders', policy: {} });
  await world.clock.advance(1_000);
  const { problems } = world.mustLead().coordinator.api.status();
  expect(problems).toMatchObject([{ code: 'POLICY_OF_NOBODY', text: expect.stringContaining('groups/orders') }]);
});

describe('a record that says something else than its key', () => {
  test.each<[string, string, object]>([
    [
      'an activation',
      KEYS.activation(DB1),
      { member: 'orders-db/db2', incarnation: 1, instanceId: 'i-1', opId: null, ordinal: 0 },
    ],
    [
      'a hold',
      KEYS.hold(DB1),
      { member: 'other/x', reason: 'Paused', text: 'x', sinceWallMs: 1, untilWallMs: null, opId: null },
    ],
    [
      'an opinion in the name of another',
      KEYS.opinion(DB1, 'c9'),
      {
        ...{ member: DB1, instanceId: 'i-1', observer: 'c1', observerAz: 'a', verdict: 'dead', reason: 'ProbesFailed' },
        ...{ sinceWallMs: 1, lastHeardWallMs: null },
      },
    ],
    ['a policy of another group', KEYS.group('orders-db'), { group: 'other', policy: {} }],
  ])('%s holds whom its key names, and is a problem', async (_, key, record) => {
    const { world, old } = await started();
    const before = world.kv.entries(key).find((one) => one.key === key)?.value;
    world.put(key, record);
    await world.clock.advance(1_000);
    const { problems } = world.mustLead().coordinator.api.status();
    expect(problems).toMatchObject([{ code: 'RECORD_UNREADABLE', text: expect.stringContaining('but the key says') }]);
    world.crash(old.instanceId);
    await world.clock.advance(120_000);
    expect([world.launches, world.intent(DB1)]).toEqual([0, null]);
    if (before === undefined) world.remove(key);
    else world.put(key, before);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });
});
