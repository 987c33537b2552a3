import { describe, expect, test } from 'vitest';
import { auditOf, command } from './commanding.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

async function up(): Promise<ScenarioCluster> {
  const world = new ScenarioCluster({ policy: { guard: { cooldownMs: 0 } } });
  world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return world;
}

const activeOf = (world: ScenarioCluster) => world.activation(DB1)?.instanceId ?? '';

describe('a pause by command', () => {
  test('holds from the moment it is answered, is seen by every coordinator, and ends by command', async () => {
    const world = await up();
    const paused = await command(world, { kind: 'pause', scope: 'group/prod', untilWallMs: null, replaces: null });
    expect(paused).toMatchObject({ kind: 'done', repeated: false });
    world.crash(activeOf(world));
    await world.clock.advance(HOUR_MS);
    expect([world.launches, world.hold(DB1)?.reason]).toEqual([0, 'Paused']);
    for (const { coordinator } of world.nodes)
      expect(coordinator.controls.pauses().pauses).toMatchObject([{ scope: 'group/prod', who: 'ann', members: 2 }]);
    const revision = world.mustLead().coordinator.controls.pauses().pauses[0]?.revision ?? 0;
    expect(await command(world, { kind: 'resume', scope: 'group/prod', revision })).toMatchObject({ kind: 'done' });
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(auditOf(world).map((one) => [one.kind, one.who, one.about])).toEqual([
      ['pause', 'ann', 'group/prod'],
      ['resume', 'ann', 'group/prod'],
    ]);
  });

  test('of nobody is refused: it would look like safety and hold nothing', async () => {
    const world = await up();
    for (const scope of ['group/nobody', 'member/group/prod'])
      expect(await command(world, { kind: 'pause', scope, untilWallMs: null, replaces: null }), scope).toMatchObject({
        kind: 'refused',
        code: 'NOTHING_THERE',
      });
    expect(auditOf(world)).toEqual([]);
  });

  test('ends by itself when its time is over', async () => {
    const world = await up();
    const untilWallMs = world.clock.wallMs() + 600_000;
    await command(world, { kind: 'pause', scope: `member/${DB1}`, untilWallMs, replaces: null });
    world.crash(activeOf(world));
    await world.clock.advance(540_000);
    expect([world.launches, world.hold(DB1)?.untilWallMs]).toEqual([0, untilWallMs]);
    await world.until('begun', () => world.intent(DB1) !== null, 120_000);
  });

  test('of another person is neither replaced nor ended unseen', async () => {
    const world = await up();
    const pause = { kind: 'pause', scope: 'global', untilWallMs: null, replaces: null } as const;
    await command(world, pause, { who: 'bob', reason: 'kernel' });
    await world.clock.advance(1_000);
    expect(await command(world, pause)).toMatchObject({ kind: 'refused', code: 'PAUSED_BY_ANOTHER' });
    const resume = { kind: 'resume', scope: 'global', revision: null } as const;
    expect(await command(world, resume)).toMatchObject({
      ...{ kind: 'refused', code: 'PAUSED_BY_ANOTHER' },
      text: expect.stringContaining('paused by bob: kernel'),
    });
    const shown = world.mustLead().coordinator.controls.pauses().pauses[0]?.revision ?? 0;
    // Bob means it longer, meanwhile: what Ann was shown is no longer what is there.
    await command(world, { ...pause, untilWallMs: world.clock.wallMs() + HOUR_MS }, { who: 'bob' });
    await world.clock.advance(1_000);
    expect(await command(world, { ...resume, revision: shown })).toMatchObject({ code: 'REVISION_STALE' });
    expect(world.kv.entries(KEYS.pauses)).toHaveLength(1);
    expect(await command(world, resume, { who: 'bob' })).toMatchObject({ kind: 'done' });
  });

  test('that cannot be read is ended by the revision that was shown', async () => {
    const world = await up();
    world.put(KEYS.pause('group/prod'), { scope: 'prod', who: 'x', why: 'y', sinceWallMs: 0, untilWallMs: null });
    await world.clock.advance(1_000);
    const [shown] = world.mustLead().coordinator.controls.pauses().pauses;
    const resume = { kind: 'resume', scope: 'group/prod', revision: null } as const;
    expect(await command(world, resume)).toMatchObject({ code: 'PAUSED_BY_ANOTHER' });
    expect(await command(world, { ...resume, revision: shown?.revision ?? 0 })).toMatchObject({ kind: 'done' });
    expect(world.kv.entries(KEYS.pauses)).toEqual([]);
  });
});

describe('the same idempotency key', () => {
  const pause = { kind: 'pause', scope: 'global', untilWallMs: null, replaces: null } as const;

  test('is carried out once and answered the same, also by the next leader', async () => {
    const world = await up();
    const first = await command(world, pause, { key: 'k1' });
    const again = await command(world, pause, { key: 'k1' });
    expect(again).toMatchObject({ kind: 'done', repeated: true, auditId: (first as { auditId: string }).auditId });
    await world.stop(world.mustLead());
    await world.until('another leads', () => world.leader() !== null, 60_000);
    await world.clock.advance(2_000);
    expect(await command(world, pause, { key: 'k1' })).toMatchObject({ kind: 'done', repeated: true });
    expect(auditOf(world)).toHaveLength(1);
  });

  test('with another request is refused; of another person it is another key', async () => {
    const world = await up();
    await command(world, pause, { key: 'k1' });
    await world.clock.advance(1_000);
    const other = { ...pause, scope: 'group/prod' };
    expect(await command(world, other, { key: 'k1' })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await command(world, pause, { key: 'k1', reason: 'another' })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await command(world, other, { key: 'k1', who: 'bob' })).toMatchObject({ kind: 'done', repeated: false });
  });

  test('sent twice at the same moment is carried out once', async () => {
    const world = await up();
    const { controls } = world.mustLead().coordinator;
    const caller = { identity: 'ann', from: 'x', requestId: 'r' };
    const asked = { command: pause, caller, reason: 'twice', idempotencyKey: 'k1' } as const;
    const both = await world.clock.runUntilSettled(Promise.all([controls.command(asked), controls.command(asked)]));
    expect(both.map((one) => one.kind === 'done' && one.repeated)).toEqual([false, true]);
    expect(auditOf(world)).toHaveLength(1);
  });
});

describe('policies by command', () => {
  const group = (name: string, cooldownMs: number, revision: number | null = null) => ({
    ...{ group: name, policy: { guard: { cooldownMs } }, revision },
  });

  test('all groups are changed, or none', async () => {
    const world = await up();
    const bad = { group: 'b', policy: { guard: { cooldown: 5 } }, revision: null };
    expect(await command(world, { kind: 'apply-policies', groups: [group('a', 1), bad] })).toMatchObject({
      ...{ kind: 'refused', code: 'POLICY_REFUSED' },
      text: expect.stringContaining('did you mean cooldownMs?'),
    });
    expect(world.kv.entries(KEYS.groups)).toEqual([]);
    const applied = await command(world, { kind: 'apply-policies', groups: [group('prod', 5_000), group('b', 7_000)] });
    expect(applied).toMatchObject({ kind: 'done', text: 'policy of prod: 1 changed; policy of b: 1 changed' });
    await world.clock.advance(1_000);
    const { controls } = world.mustLead().coordinator;
    expect(controls.policies().find((one) => one.group === 'prod')).toMatchObject({
      ...{ own: { guard: { cooldownMs: 5_000 } }, effective: { guard: { cooldownMs: 5_000, flapLimit: 3 } } },
    });
    expect(auditOf(world)[0]?.after).toEqual({ prod: { 'guard.cooldownMs': 5_000 }, b: { 'guard.cooldownMs': 7_000 } });
  });

  test('one that was changed meanwhile is refused, with what is there now', async () => {
    const world = await up();
    await command(world, { kind: 'apply-policies', groups: [group('prod', 5_000, 0)] });
    await world.clock.advance(1_000);
    const { revision = 0 } = world.mustLead().coordinator.controls.policies()[0] ?? {};
    await command(world, { kind: 'apply-policies', groups: [group('prod', 6_000, revision)] });
    await world.clock.advance(1_000);
    expect(await command(world, { kind: 'apply-policies', groups: [group('prod', 9_000, revision)] })).toMatchObject({
      ...{ kind: 'refused', code: 'REVISION_STALE', detail: { policy: { guard: { cooldownMs: 6_000 } } } },
    });
    expect(await command(world, { kind: 'reset-policy', group: 'prod', revision })).toMatchObject({
      code: 'REVISION_STALE',
    });
    const now = world.mustLead().coordinator.controls.policies()[0]?.revision ?? 0;
    expect(await command(world, { kind: 'reset-policy', group: 'prod', revision: now })).toMatchObject({
      kind: 'done',
    });
    await world.clock.advance(2_000);
    expect(world.mustLead().coordinator.controls.policies()[0]?.effective).toMatchObject({ guard: { cooldownMs: 0 } });
  });
});
