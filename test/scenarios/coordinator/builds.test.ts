import { FeatureLevelRecordSchema, parseRecord } from '@understudy/shared';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const OLD = { level: 1, oldest: 1 };
const NEXT = { level: 2, oldest: 1 };
const AFTER = { level: 3, oldest: 2 };
const RAISE_AFTER_MS = 60_000;
const DB1 = 'prod/db1';

let world: ScenarioCluster;
let instanceId: string;
beforeEach(() => {
  world = new ScenarioCluster({ loop: { raiseLevelAfterMs: RAISE_AFTER_MS } });
  instanceId = world.seed(DB1).instanceId;
});

const agreed = (): number | null => {
  const [entry] = world.kv.entries(KEYS.level);
  return entry ? parseRecord(FeatureLevelRecordSchema, entry.key, entry.value).level : null;
};
const levels = (node: Node) => node.coordinator.api.status().featureLevels;
const presentIds = () => world.kv.entries(KEYS.coordinators).map(({ key }) => key.slice(KEYS.coordinators.length));
const settled = () => world.clock.advance(40_000);

async function replaced(node: Node, build: typeof OLD): Promise<Node> {
  await world.stop(node);
  const next = world.start(Number(node.id.slice(1)) - 1, build);
  await settled();
  return next;
}

const recovered = () => world.until('a recovery is finished', () => world.history(DB1).length === 1);

describe('coordinators of neighbouring builds', () => {
  test('agree on what all of them understand, and on more only when the last one does, and for long enough', async () => {
    const [one, two, three] = [world.start(0, OLD), world.start(1, NEXT), world.start(2, OLD)];
    await settled();
    expect(agreed()).toBe(1);
    await replaced(one, NEXT);
    await world.clock.advance(3 * RAISE_AFTER_MS);
    expect([agreed(), levels(two)]).toEqual([1, { understood: 2, agreed: 1, inForce: 1 }]);
    await replaced(three, NEXT);
    expect(agreed(), 'there is time to go back').toBe(1);
    await world.until('the level is raised', () => agreed() === 2, RAISE_AFTER_MS);
    await settled();
    expect(levels(two)).toEqual({ understood: 2, agreed: 2, inForce: 2 });
    expect(
      world.nodes.flatMap(({ log }) => log.events()).filter((event) => event === 'feature_level.raised'),
    ).toHaveLength(2);
  });

  test('recover a member together, whoever of them leads', async () => {
    for (const index of [0, 1, 2]) world.start(index, index === 1 ? NEXT : OLD);
    await settled();
    world.crash(instanceId);
    await recovered();
    expect(presentIds()).toEqual(['c1', 'c2', 'c3']);
  });

  test('do without one that comes back as it was before the agreement: it neither leads nor counts, and says so', async () => {
    const [one, two, three] = [world.start(0, NEXT), world.start(1, NEXT), world.start(2, NEXT)];
    await settled();
    expect(agreed(), 'a new cluster begins with what its builds understand').toBe(2);
    const old = await replaced(three, OLD);
    expect(presentIds()).toEqual(['c1', 'c2']);
    expect(old.coordinator.api.notReady()).toMatchObject([{ code: 'BUILD_TOO_OLD' }]);
    expect(levels(two).inForce).toBe(2);
    world.crash(instanceId);
    await recovered();
    world.kill(one);
    world.kill(two);
    await world.clock.advance(120_000);
    expect([world.leader(), world.kv.entries(KEYS.leader)], 'it leads not even alone').toEqual([null, []]);
    expect(old.fatal).toEqual([]);
  });

  test('keep what is new back while one is present that does not understand it, although it was agreed on', async () => {
    const [one] = [world.start(0, NEXT), world.start(1, NEXT)];
    await settled();
    expect(levels(one)).toMatchObject({ agreed: 2, inForce: 2 });
    const { modRevision } = world.kv.entries(KEYS.level)[0] ?? { modRevision: -1 };
    expect(one.coordinator.view.whileInForce(2)).toEqual({ key: KEYS.level, modRevision });
    const straggler = { coordinatorId: 'c9', az: 'us-east-1c', udpEndpoint: '', httpUrl: '', startedAtWallMs: 1 };
    world.put(KEYS.coordinator('c9'), { ...straggler, version: 'old', featureLevel: 1 });
    await world.clock.advance(100);
    expect(levels(one)).toMatchObject({ agreed: 2, inForce: 1 });
    expect(one.coordinator.view.whileInForce(2)).toBeNull();
  });

  test('do not take in a build that is two ahead, before the one in between is everywhere', async () => {
    for (const index of [0, 1]) world.start(index, OLD);
    await settled();
    const ahead = world.start(2, AFTER);
    await settled();
    expect(presentIds()).toEqual(['c1', 'c2']);
    expect(ahead.coordinator.api.notReady()).toMatchObject([{ code: 'BUILD_TOO_NEW' }]);
  });
});

describe('a coordinator whose presence cannot be read', () => {
  const stranger = (verdict: string) => {
    world.put(KEYS.coordinator('c9'), '{"schemaVersion":2,"writeId":"w","writtenBy":"c9","writtenAtWallMs":1}');
    world.put(KEYS.opinion(DB1, 'c9'), {
      ...{ member: DB1, instanceId, observer: 'c9', observerAz: 'us-east-1c', verdict, reason: 'Heard' },
      ...{ sinceWallMs: 1, lastHeardWallMs: world.clock.wallMs() },
    });
  };

  test('vetoes all the same', async () => {
    await world.up();
    stranger('alive');
    world.crash(instanceId);
    await world.clock.advance(300_000);
    expect([world.intent(DB1), world.history(DB1)]).toEqual([null, []]);
    world.remove(KEYS.opinion(DB1, 'c9'));
    await recovered();
  });

  test('vetoes with an opinion that nobody here understands: the member is held, visibly', async () => {
    await world.up();
    stranger('quarantined');
    world.crash(instanceId);
    await world.clock.advance(300_000);
    expect([world.intent(DB1), world.history(DB1)]).toEqual([null, []]);
    expect(world.hold(DB1)).toMatchObject({ reason: 'RecordUnreadable', text: expect.stringContaining('verdict') });
    world.remove(KEYS.opinion(DB1, 'c9'));
    await recovered();
  });

  test('does not count among those who must agree that a member is dead', async () => {
    world.start(0);
    await settled();
    stranger('dead');
    world.crash(instanceId);
    await world.clock.advance(300_000);
    expect([world.intent(DB1), world.history(DB1)]).toEqual([null, []]);
    expect(world.hold(DB1)).toMatchObject({ reason: 'NotEnoughObservers' });
  });
});
