import { MemberRecordSchema, parseRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { auditOf, command } from './commanding.ts';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

async function up(): Promise<ScenarioCluster> {
  const world = new ScenarioCluster();
  world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return world;
}

const idOf = (node: Node | null) => node?.coordinator.controls.pauses().coordinatorId ?? '';
const others = (world: ScenarioCluster) => world.nodes.filter((one) => one !== world.mustLead());
const leads = (world: ScenarioCluster, id: string) => () => world.leader() !== null && idOf(world.leader()) === id;

describe('the lead given to another', () => {
  test.each([0, 1])(
    'goes to the one that is named (%i), in less than 200 ms, and the recovery under way goes on',
    async (at) => {
      const world = await up();
      world.crash(world.activation(DB1)?.instanceId ?? '');
      await world.until('begun', () => world.intent(DB1) !== null, HOUR_MS);
      const to = idOf(others(world)[at] ?? null);
      expect(await command(world, { kind: 'transfer', to })).toMatchObject({ kind: 'done', result: { to } });
      const fromMs = world.clock.monotonicMs();
      while (!leads(world, to)() && world.clock.monotonicMs() - fromMs < 5_000) await world.clock.advance(10);
      expect(world.clock.monotonicMs() - fromMs).toBeLessThan(200);
      await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
      expect([world.launches, world.history(DB1)[0]?.leaderChanges]).toEqual([1, 1]);
      expect(auditOf(world).map((one) => [one.kind, one.about])).toEqual([['transfer', to]]);
    },
  );

  test('goes to somebody else when the one that is named dies in that moment', async () => {
    const world = await up();
    const [named, third] = others(world);
    await command(world, { kind: 'transfer', to: idOf(named ?? null) });
    if (named) world.kill(named);
    await world.until('the third leads', leads(world, idOf(third ?? null)), 10_000);
  });

  test('is refused to who leads, is unknown or is drained', async () => {
    const world = await up();
    const to = idOf(world.mustLead());
    expect(await command(world, { kind: 'transfer', to })).toMatchObject({ kind: 'done', repeated: true });
    expect(await command(world, { kind: 'transfer', to: 'c9' })).toMatchObject({ code: 'COORDINATOR_UNKNOWN' });
    const drained = idOf(others(world)[0] ?? null);
    await command(world, { kind: 'drain', coordinatorId: drained, untilWallMs: null, override: false });
    await world.clock.advance(1_000);
    expect(await command(world, { kind: 'transfer', to: drained })).toMatchObject({ code: 'BAD_REQUEST' });
  });
});

const shownBy = ({ coordinator }: Node): number =>
  coordinator.api.status().problems.filter(({ code }) => code === 'COORDINATOR_DRAINED').length;

describe('a coordinator that is drained', () => {
  const drain = (coordinatorId: string, override = false) =>
    ({ kind: 'drain', coordinatorId, untilWallMs: null, override }) as const;

  test('hands over at once, and does not lead again while another one can', async () => {
    const world = await up();
    const id = idOf(world.mustLead());
    expect(await command(world, drain(id))).toMatchObject({ kind: 'done' });
    await world.until('another leads', () => world.leader() !== null && idOf(world.leader()) !== id, 5_000);
    const second = idOf(world.mustLead());
    world.kill(world.mustLead());
    await world.until('the third leads', () => ![id, second, ''].includes(idOf(world.leader())), 60_000);
  });

  test('leads all the same where nobody else is left: nothing stands still', async () => {
    const world = await up();
    const id = idOf(others(world)[0] ?? null);
    await command(world, drain(id));
    await world.clock.advance(1_000);
    for (const node of world.nodes.filter((one) => idOf(one) !== id)) world.kill(node);
    await world.until('it leads', leads(world, id), 120_000);
  });

  test('is refused with numbers where too few would be left, and always where none would be', async () => {
    const world = await up();
    const [first, second] = others(world).map(idOf);
    await command(world, drain(first ?? ''));
    await world.clock.advance(1_000);
    expect(await command(world, drain(second ?? ''))).toMatchObject({
      ...{ code: 'TOO_FEW_OBSERVERS', text: expect.stringContaining('1 of at least 2 observers would be left') },
    });
    expect(await command(world, drain(second ?? '', true))).toMatchObject({ kind: 'done' });
    await world.clock.advance(1_000);
    expect(await command(world, drain(idOf(world.mustLead()), true))).toMatchObject({
      ...{ code: 'TOO_FEW_OBSERVERS', text: expect.stringContaining('nobody would be left to lead') },
    });
  });

  test('accuses nobody: with two of three drained a dead member is held, until they take part again', async () => {
    const world = await up();
    for (const id of others(world).map(idOf)) {
      await command(world, drain(id, true));
      await world.clock.advance(1_000);
    }
    world.crash(world.activation(DB1)?.instanceId ?? '');
    await world.until('held', () => world.hold(DB1)?.reason === 'NotEnoughObservers', HOUR_MS);
    await world.clock.advance(600_000);
    expect(world.launches).toBe(0);
    for (const id of others(world).map(idOf))
      expect(await command(world, { kind: 'undrain', coordinatorId: id, revision: null })).toMatchObject({
        kind: 'done',
      });
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.kv.entries(KEYS.drains)).toEqual([]);
  });

  test('still vetoes with what it alone hears', async () => {
    const world = await up();
    const id = idOf(others(world)[0] ?? null);
    await command(world, drain(id));
    await world.clock.advance(1_000);
    const [entry] = world.kv.entries(KEYS.member(DB1));
    const ip = parseRecord(MemberRecordSchema, entry?.key ?? '', entry?.value ?? '').privateIp ?? '';
    for (const node of world.nodes.filter((one) => idOf(one) !== id))
      world.network.cut(ip, world.endpoints[world.nodes.indexOf(node)]?.address ?? '');
    await world.clock.advance(600_000);
    expect(world.network.counts.cut).toBeGreaterThan(1_000);
    expect([world.launches, world.intent(DB1)]).toEqual([0, null]);
    expect(
      world
        .mustLead()
        .coordinator.api.members()
        .find((one) => one.member === DB1)?.verdict,
    ).toBe('alive');
  });

  test('is so after a restart of it, and ends by itself', async () => {
    const world = await up();
    const [node] = others(world);
    const untilWallMs = world.clock.wallMs() + 600_000;
    await command(world, { ...drain(idOf(node ?? null)), untilWallMs });
    const index = world.nodes.indexOf(node ?? world.mustLead());
    if (node) await world.stop(node);
    const again = world.start(index);
    await world.clock.advance(30_000);
    expect(again.coordinator.controls.drains().drains).toMatchObject([{ inForce: true }]);
    expect([shownBy(again), shownBy(world.mustLead())]).toEqual([1, 1]);
    expect(again.coordinator.api.notReady()).toEqual([]);
    await world.clock.advance(600_000);
    expect(again.coordinator.controls.drains().drains).toMatchObject([{ inForce: false }]);
    expect(shownBy(again)).toBe(0);
  });
});
