import {
  opIdOf,
  type PreparationRecord,
  PreparationRecordSchema,
  type PreparedKind,
  PreparedRecordSchema,
  parseRecord,
  TAG,
} from '@understudy/shared';
import { joinedChanges, type PolicyChange } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB = 'prod/db1';
const OTHER = 'prod/db2';
const MINUTE_MS = 60_000;
const PREPARE = { makes: ['seed'] as readonly PreparedKind[], atOnce: 1, perDay: 10, keptForMs: 600_000 };
/** 5 min of the seed cost 0.1; disks cost nothing. */
const SPEND = { perDay: 0.25, instanceHour: 1.2, volumeGibMonth: 0, snapshotGibMonth: 0 };
type Prepare = typeof PREPARE & { readonly spend: typeof SPEND };

/** Members that are suspect for a minute before they are dead. */
async function cluster(change: Partial<Prepare> | null = {}, over: PolicyChange = {}, members = 5) {
  const prepare =
    change === null ? {} : { prepare: { ...PREPARE, ...change, makes: [...(change.makes ?? PREPARE.makes)] } };
  const policy = joinedChanges(
    { detect: { confirmForMs: MINUTE_MS }, recover: { strategy: 'reattach', ...prepare } },
    over,
  );
  const world = new ScenarioCluster({ policy });
  const old = world.seed(DB, { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 8 }] }).instanceId;
  const others = Array.from({ length: members - 1 }, (_, at) => `prod/db${at + 2}` as const);
  const ids = others.map((member) => world.seed(member, { az: 'us-east-1b' }).instanceId);
  await world.up();
  const lead = () => world.mustLead().coordinator;
  const suspected = (member: `${string}/${string}` = DB) =>
    world.until('suspected', () => lead().api.explain(member)?.verdict === 'suspect', MINUTE_MS);
  const said = () => (lead().api.explain(DB)?.evidence ?? []).filter((one) => one.source === 'preparation');
  return { world, old, ids, lead, suspected, said };
}

type World = Awaited<ReturnType<typeof cluster>>['world'];

const preparations = (world: World): readonly PreparationRecord[] =>
  world.kv.entries(KEYS.preparations).map((entry) => parseRecord(PreparationRecordSchema, entry.key, entry.value));

const made = (world: World, opId: string) =>
  world.cloud.core.region.instances.all().filter((one) => one.tags[TAG.op] === opId);

const gone = (world: World): readonly string[] =>
  world.kv
    .entries(KEYS.prepared)
    .flatMap(({ key, value }) => parseRecord(PreparedRecordSchema, key, value).gone ?? [])
    .map(({ opId }) => opId);

const isMade = (world: World, opId: string) => () => made(world, opId).some((one) => one.state === 'stopped');

describe('a seed while its member is suspect', () => {
  test('is there, stopped, and becomes the replacement: one launch, and nobody took it for a rival', async () => {
    const { world, old, suspected, said, lead } = await cluster();
    world.crash(old);
    await suspected();
    await world.until('made', isMade(world, opIdOf(old)), MINUTE_MS);
    expect(said().map((one) => one.text)).toContainEqual(expect.stringContaining('seed'));
    expect(lead().leader.notEnrolled(), 'nothing of it looks like a member').toEqual([]);
    const [seed] = made(world, opIdOf(old));
    await world.until('replaced', () => world.history(DB).length > 0, 15 * MINUTE_MS);
    world.expectReplaced(DB, old);
    expect(world.activation(DB)?.instanceId).toBe(seed?.id);
    expect(world.history(DB)[0]).toMatchObject({ strategy: 'reattach', prepared: { makes: ['seed'] } });
    expect(lead().leader.makings.counts).toMatchObject({ begun: 1, taken: 1, dropped: 0 });
    expect(lead().leader.makings.present).toEqual({ open: 0, dropped: 0 });
    expect(preparations(world)).toEqual([]);
    world.expectHealthy();
  });

  test('is ended when its member speaks again: the ordinal is raised, and nothing of it is left', async () => {
    const { world, old, suspected, lead } = await cluster();
    await world.silence(old);
    await suspected();
    await world.until('made', isMade(world, opIdOf(old)), MINUTE_MS);
    world.speak(old);
    await world.until('ended', () => made(world, opIdOf(old)).every((one) => one.state === 'terminated'), MINUTE_MS);
    expect(world.activation(DB)).toMatchObject({ instanceId: old, ordinal: 1 });
    expect(preparations(world).map((one) => one.dropped?.why)).toEqual([expect.stringContaining('not suspect')]);
    await world.until('forgotten', () => preparations(world).length === 0, 20 * MINUTE_MS);
    expect(world.kv.entries(KEYS.journalOf(opIdOf(old)))).toEqual([]);
    const [ledger] = world.kv.entries(KEYS.preparedIn('prod'));
    const { gone } = parseRecord(PreparedRecordSchema, ledger?.key ?? '', ledger?.value ?? '');
    expect(gone, 'its name is kept').toMatchObject([{ opId: opIdOf(old) }]);
    expect(world.cloud.core.region.networkInterfaces.all().filter((one) => one.tags[TAG.op])).toEqual([]);
    expect(lead().leader.makings.counts).toMatchObject({ begun: 1, taken: 0, dropped: 1 });
    expect([world.intent(DB), world.hold(DB), world.history(DB)]).toEqual([null, null, []]);
    // And it is replaced as ever when it fails later.
    world.crash(old);
    await world.until('replaced', () => world.history(DB).length > 0, 15 * MINUTE_MS);
    expect(world.history(DB)[0]).toMatchObject({ outcome: 'replaced', ordinal: 1 });
    world.expectHealthy();
  });

  test('that has gone leaves its name to nobody, also when its member is removed and enrolled anew', async () => {
    const { world, old, suspected } = await cluster();
    await world.silence(old);
    await suspected();
    await world.until('made', isMade(world, opIdOf(old)), MINUTE_MS);
    world.speak(old);
    await world.until('forgotten', () => preparations(world).length === 0 && gone(world).length > 0, 25 * MINUTE_MS);
    expect(gone(world)).toEqual([opIdOf(old)]);
    const remove = () => {
      for (const key of [KEYS.activation(DB), KEYS.member(DB)]) world.remove(key);
    };
    remove();
    await world.until('enrolled anew', () => world.activation(DB) !== null, MINUTE_MS);
    expect(world.activation(DB)).toMatchObject({ instanceId: old, ordinal: 1 });
    // One that an earlier build has enrolled, or somebody wrote down, begins at 0 all the same.
    world.put(KEYS.activation(DB), { member: DB, incarnation: 1, instanceId: old, opId: null, ordinal: 0 });
    await world.clock.advance(20_000);
    world.crash(old);
    await world.until('replaced', () => world.history(DB).length > 0, 15 * MINUTE_MS);
    expect(world.history(DB)[0]).toMatchObject({ outcome: 'replaced', ordinal: 1 });
    const successor = world.activation(DB)?.instanceId ?? '';
    await world.clock.advance(2 * MINUTE_MS);
    const { instances, volumes } = world.cloud.core.region;
    expect(instances.get(successor)?.state).toBe('running');
    expect(instances.get(successor)?.volumeIds.every((id) => volumes.get(id) !== undefined)).toBe(true);
    world.expectHealthy();
  });

  test('of another launch than the recovery needs is dropped: it launches for itself', async () => {
    const { world, old, suspected } = await cluster();
    world.crash(old);
    await suspected();
    await world.until('made', isMade(world, opIdOf(old)), MINUTE_MS);
    const region = world.cloud.core.region;
    const eni = region.networkInterfaces.all().find((one) => one.attachment?.instanceId === old);
    world.sim.seed('CreateTags', { Resources: [eni?.id ?? ''], Tags: [{ Key: 'team', Value: 'other' }] });
    await world.until('replaced', () => world.history(DB).length > 0, 15 * MINUTE_MS);
    expect(world.history(DB)[0]).toMatchObject({ outcome: 'replaced', ordinal: 1 });
    expect(world.history(DB)[0]?.prepared).toBeUndefined();
    expect(world.launchedFor(old)).toHaveLength(1);
    await world.until('ended', () => made(world, opIdOf(old)).every((one) => one.state === 'terminated'), MINUTE_MS);
    world.expectHealthy();
  });

  test('outlives its leader: the next one drops it, or takes it over', async () => {
    for (const end of ['refuted', 'dead'] as const) {
      const { world, old, suspected } = await cluster();
      await world.silence(old);
      await suspected();
      await world.until('sent', () => made(world, opIdOf(old)).length > 0, MINUTE_MS);
      world.kill(world.mustLead());
      await world.until('led again', () => world.leader() !== null, MINUTE_MS);
      if (end === 'refuted') {
        world.speak(old);
        await world.until(
          'gone',
          () => made(world, opIdOf(old)).every((one) => one.state === 'terminated'),
          5 * MINUTE_MS,
        );
        expect(world.activation(DB)?.instanceId).toBe(old);
      } else {
        await world.until('replaced', () => world.history(DB).length > 0, 15 * MINUTE_MS);
        expect(world.launches).toBe(1);
        expect(world.activation(DB)?.instanceId).toBe(made(world, opIdOf(old))[0]?.id);
      }
    }
  });

  test('is dropped when no recovery has begun by then', async () => {
    const { world, old, suspected } = await cluster(
      { keptForMs: MINUTE_MS },
      { detect: { confirmForMs: 10 * MINUTE_MS } },
    );
    world.crash(old);
    await suspected();
    await world.until('made', isMade(world, opIdOf(old)), MINUTE_MS);
    await world.until(
      'ended',
      () => made(world, opIdOf(old)).every((one) => one.state === 'terminated'),
      3 * MINUTE_MS,
    );
    expect(preparations(world).map((one) => one.dropped?.why)).toEqual([
      expect.stringContaining('recover.prepare.keptForMs'),
    ]);
    await world.clock.advance(MINUTE_MS);
    expect(preparations(world), 'not again for the same suspicion').toHaveLength(1);
  });
});

test('the plan says what would be made, what is made now, and what is left of the limits', async () => {
  const { world, old, suspected, lead } = await cluster();
  const prepared = async () => {
    const answer = await world.clock.runUntilSettled(lead().leader.plan(DB));
    return answer.kind === 'plan' ? answer.view.prepared : null;
  };
  const limits = { atOnce: 1, open: 0, perDay: 10, today: 0, keptForMs: 600_000 };
  expect(await prepared()).toEqual({ now: null, makes: ['seed'], limits });
  await world.silence(old);
  await suspected();
  await world.until('made', isMade(world, opIdOf(old)), MINUTE_MS);
  expect(await prepared()).toMatchObject({
    now: expect.stringContaining('seed'),
    limits: { ...limits, open: 1, today: 1 },
  });
});

describe('a preparation and the recovery of the same name', () => {
  /** As the record of a preparation that was begun a moment ago, which no view shows yet. */
  const begunUnseen = (world: World, record: PreparationRecord): void =>
    world.put(KEYS.preparation(record.opId), { ...record });

  test('are never both open: an intent that does not know of the preparation is refused', async () => {
    const { world, old, suspected } = await cluster();
    world.crash(old);
    await suspected();
    await world.until('begun', () => preparations(world).length > 0, MINUTE_MS);
    const [record] = preparations(world);
    if (!record) throw new Error('no preparation');
    const beside: string[] = [];
    world.listen((event) => {
      if (event.kind !== 'commit') return;
      const isOpen = (area: string) => world.kv.entries(area).some(({ value }) => value.includes(record.opId));
      if (isOpen(KEYS.intents) && isOpen(KEYS.preparations)) beside.push(record.opId);
    });
    await world.until('replaced', () => world.history(DB).length > 0, 15 * MINUTE_MS);
    expect(beside).toEqual([]);
  });

  test('where one is there all the same, nothing of the recovery is ended or removed', async () => {
    const { world, old, suspected, lead } = await cluster();
    world.crash(old);
    await suspected();
    await world.until('begun', () => preparations(world).length > 0, MINUTE_MS);
    const [record] = preparations(world);
    await world.until('replaced', () => world.history(DB).length > 0, 15 * MINUTE_MS);
    const active = world.activation(DB)?.instanceId ?? '';
    if (!record) throw new Error('no preparation');
    begunUnseen(world, record);
    await world.until('dropped', () => preparations(world)[0]?.dropped !== undefined, MINUTE_MS);
    await world.clock.advance(25 * MINUTE_MS);
    expect(world.cloud.core.region.instances.get(active)?.state).toBe('running');
    expect(world.activation(DB)?.instanceId).toBe(active);
    expect(
      lead()
        .leader.remarks()
        .map(({ code }) => code),
    ).toContain('PREPARATION_STUCK');
    expect(lead().leader.makings.present.dropped).toBe(1);
    world.expectHealthy();
  });
});

describe('nothing is made', () => {
  test('where the policy says nothing of it', async () => {
    const { world, old, suspected, said } = await cluster(null);
    world.crash(old);
    await suspected();
    await world.clock.advance(30_000);
    expect([preparations(world), world.launches, said()]).toEqual([[], 0, []]);
  });

  test('while an operator has paused; what is there goes on being dropped', async () => {
    const { world, old, suspected } = await cluster();
    await world.silence(old);
    await suspected();
    await world.until('made', isMade(world, opIdOf(old)), MINUTE_MS);
    world.pause('global');
    world.speak(old);
    await world.until('ended', () => made(world, opIdOf(old)).every((one) => one.state === 'terminated'), MINUTE_MS);
    await world.silence(old);
    await suspected();
    await world.clock.advance(30_000);
    expect(made(world, opIdOf(old, 1))).toEqual([]);
  });

  test('with more than three suspects: the cause is not theirs', async () => {
    const { world, old, ids, suspected } = await cluster({ atOnce: 20 }, {}, 9);
    for (const id of [old, ...ids.slice(0, 3)]) await world.silence(id);
    await suspected();
    await world.clock.advance(20_000);
    expect([preparations(world), world.launches]).toEqual([[], 0]);
  });

  test('beyond what the group may have at once, and in a day; explain says so', async () => {
    const { world, old, ids, suspected, lead } = await cluster({ perDay: 2 });
    for (const id of [old, ids[0] ?? '']) await world.silence(id);
    await suspected();
    await suspected(OTHER);
    await world.clock.advance(20_000);
    expect(preparations(world)).toHaveLength(1);
    const texts = [DB, OTHER]
      .flatMap((one) => lead().api.explain(one as typeof DB)?.evidence ?? [])
      .map((one) => one.text);
    expect(texts).toContainEqual(expect.stringContaining('recover.prepare.atOnce'));
    for (const id of [old, ids[0] ?? '']) world.speak(id);
    await world.clock.advance(30_000);
    await world.silence(old);
    await suspected();
    await world.clock.advance(20_000);
    world.speak(old);
    await world.clock.advance(30_000);
    expect(lead().leader.makings.counts.begun).toBe(2);
    await world.silence(old);
    await suspected();
    await world.clock.advance(20_000);
    expect(lead().leader.makings.counts.begun).toBe(2);
    expect(lead().leader.makings.counts.limited).toBeGreaterThan(1);
    const now = (lead().api.explain(DB)?.evidence ?? []).map((one) => one.text);
    expect(now).toContainEqual(expect.stringContaining('recover.prepare.perDay'));
  });
});

test('beyond what the group may spend in a day nothing is made; plan, explain and metrics say so', async () => {
  const { world, old, suspected, lead } = await cluster({ spend: SPEND }, {}, 2);
  const spend = async () => {
    const answer = await world.clock.runUntilSettled(lead().leader.plan(DB));
    return answer.kind === 'plan' ? answer.view.prepared?.limits.spend : null;
  };
  const suspicion = async () => {
    await world.silence(old);
    await suspected();
    await world.clock.advance(20_000);
    world.speak(old);
    await world.clock.advance(30_000);
  };
  expect(await spend()).toEqual({ perDay: 0.25, today: 0, next: 0.1 });
  await suspicion();
  await suspicion();
  expect(lead().leader.makings).toMatchObject({ counts: { begun: 2 }, spent: new Map([['prod', 0.2]]) });
  expect(await spend()).toEqual({ perDay: 0.25, today: 0.2, next: 0.1 });
  await world.silence(old);
  await suspected();
  await world.clock.advance(20_000);
  expect(lead().leader.makings.counts).toMatchObject({ begun: 2, limited: 1 });
  const texts = (lead().api.explain(DB)?.evidence ?? []).map(({ text }) => text);
  expect(texts).toContainEqual(expect.stringContaining('0.2 of 0.25 are spent in 24 h in the group'));
  // Another leader has the same ledger.
  world.kill(world.mustLead());
  await world.until('led again', () => world.leader() !== null, MINUTE_MS);
  await suspected();
  await world.clock.advance(20_000);
  expect(lead().leader.makings).toMatchObject({ counts: { begun: 0, limited: 1 }, spent: new Map([['prod', 0.2]]) });
  world.expectHealthy();
});

test('what a prepared seed saves, from the verdict to the new machine', async () => {
  const after = async (change: Partial<typeof PREPARE> | null) => {
    const { world, old } = await cluster(change);
    world.crash(old);
    await world.until('begun', () => world.intent(DB) !== null, 5 * MINUTE_MS);
    const atMs = world.clock.monotonicMs();
    await world.until('activated', () => world.activation(DB)?.instanceId !== old, 15 * MINUTE_MS);
    return world.clock.monotonicMs() - atMs;
  };
  const [without, prepared] = [await after(null), await after({})];
  console.info(`from intent to activation: ${without} ms without, ${prepared} ms with a prepared seed`);
  expect(prepared).toBeLessThan(without);
});
