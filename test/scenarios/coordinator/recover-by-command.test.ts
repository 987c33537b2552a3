import { type HoldReason, type MemberId, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { auditOf, command } from './commanding.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

const recover = (overrides: readonly HoldReason[] = [], planToken: string | null = null) =>
  ({ kind: 'recover', member: DB1, by: null, opId: null, loss: null, leaveOpen: false, overrides, planToken }) as const;

const activeOf = (world: ScenarioCluster, member: MemberId = DB1) => world.activation(member)?.instanceId ?? '';

/** Four of twelve fail at once, in all zones: nobody is replaced. */
async function massFailure(): Promise<ScenarioCluster> {
  const world = new ScenarioCluster();
  for (const index of Array.from({ length: 12 }, (_, number) => number + 1))
    world.seed(`prod/db${index}`, { az: `us-east-1${'abc'.charAt(index % 3)}` });
  await world.up();
  for (const index of [1, 2, 3, 4] as const) world.crash(activeOf(world, `prod/db${index}`));
  await world.until('held', () => world.hold(DB1)?.reason === 'MassFailure', HOUR_MS);
  return world;
}

describe('recover with an override', () => {
  test('begins the one recovery, with who, why and what was overridden in its history', async () => {
    const world = await massFailure();
    const old = activeOf(world);
    expect(await command(world, recover())).toMatchObject({
      ...{ kind: 'refused', code: 'GATES_HOLD' },
      text: expect.stringContaining('MassFailure'),
      detail: { gates: [{ gate: 'MassFailure', may: true }] },
    });
    expect(await command(world, recover(['MassFailure']), { reason: 'the switch is back' })).toMatchObject({
      kind: 'done',
    });
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old);
    expect(world.history(DB1)[0]?.acts).toMatchObject([
      { kind: 'recover', by: 'ann', why: 'the switch is back', text: 'a recovery was begun, overriding MassFailure' },
    ]);
    expect(world.launches).toBe(1);
  });

  test('of a gate that is not the only one says which one still holds it', async () => {
    const world = await massFailure();
    world.pause('group/prod');
    await world.clock.advance(2_000);
    expect(await command(world, recover(['MassFailure']))).toMatchObject({
      ...{ code: 'GATES_HOLD', detail: { gates: [{ gate: 'Paused', may: false }] } },
    });
    expect(await command(world, recover(['MassFailure', 'Paused']))).toMatchObject({
      ...{ code: 'NEVER_OVERRIDDEN', text: expect.stringContaining('end the pause') },
    });
  });

  test('of a member that is heard is refused: nothing overrides a heartbeat', async () => {
    const world = await massFailure();
    const alive = { ...recover(['MassFailure', 'BudgetExhausted']), member: 'prod/db5' } as const;
    expect(await command(world, alive)).toMatchObject({
      ...{ kind: 'refused', code: 'NOT_STOPPED_BY_US', text: expect.stringContaining('prod/db5 is heard by') },
    });
    expect(world.kv.entries(KEYS.requests)).toEqual([]);
  });

  test('that was not carried out in two minutes is void: a pause came in between', async () => {
    const world = await massFailure();
    expect(await command(world, recover(['MassFailure']))).toMatchObject({ kind: 'done' });
    // Before the next pass of decisions.
    world.pause('global');
    await world.clock.advance(180_000);
    expect([world.launches, world.kv.entries(KEYS.requests)]).toEqual([0, []]);
    world.remove(KEYS.pause('global'));
    await world.clock.advance(600_000);
    expect([world.launches, world.hold(DB1)?.reason]).toEqual([0, 'MassFailure']);
  });
});

test.each([
  ['for a recovery of another name', { opId: 'op-another' }],
  ['for a time that is over', { untilWallMs: 1 }],
])("a recovery that begins by itself is nobody's act: one asked %s", async (_, over) => {
  const world = new ScenarioCluster();
  world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  const old = activeOf(world);
  const asked = { member: DB1, kind: 'recover', opId: opIdOf(old), by: 'ann', why: 'long ago', atWallMs: 1 };
  world.crash(old);
  await world.until('dead', () => world.mustLead().coordinator.leader.judged(DB1)?.verdict === 'dead', HOUR_MS);
  world.put(KEYS.request(DB1), { ...asked, loss: null, leaveOpen: false, ...over });
  await world.until('begun', () => world.intent(DB1) !== null, HOUR_MS);
  expect(world.kv.entries(KEYS.requests)).toEqual([]);
  const dropped = world.mustLead().log.events().includes('operator.request_dropped');
  expect([dropped, world.intent(DB1)?.acts]).toEqual([false, undefined]);
});

describe('a plan', () => {
  const planOf = async (world: ScenarioCluster) => {
    const answer = await world.clock.runUntilSettled(world.mustLead().coordinator.controls.plan(DB1));
    if (answer.kind === 'refused') throw new Error(answer.text);
    return answer.view;
  };

  test('is shown with a token, also of a member that is well, and tells no secret', async () => {
    const world = new ScenarioCluster();
    const { instanceId } = world.seed(DB1, { userData: 'SECRET-KEY' });
    await world.up();
    const view = await planOf(world);
    expect(view).toMatchObject({ member: DB1, instanceId, verdict: 'alive', wouldBegin: false, problems: [] });
    expect(view.token).toMatch(/^[0-9a-f]{16}$/);
    expect(view.lines.map((one) => one.sign)).toContain('+');
    expect(JSON.stringify(view)).not.toContain(Buffer.from('SECRET-KEY').toString('base64').slice(0, 8));
    expect((await planOf(world)).token).toBe(view.token);
  });

  test('that was shown is the one that is carried out', async () => {
    const world = await massFailure();
    const { token } = await planOf(world);
    expect(await command(world, recover(['MassFailure'], token))).toMatchObject({ kind: 'done' });
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
  });

  test('that is another one by now is not carried out, and the audit log says so', async () => {
    const world = await massFailure();
    const { token } = await planOf(world);
    world.put(KEYS.group('prod'), {
      group: 'prod',
      policy: { guard: { bootGraceMs: 0 }, recover: { verifyTimeoutMs: 777_000 } },
    });
    await world.clock.advance(1_000);
    expect((await planOf(world)).token).not.toBe(token);
    expect(await command(world, recover(['MassFailure'], token))).toMatchObject({ kind: 'done' });
    await world.until('dropped', () => world.kv.entries(KEYS.requests).length === 0, 60_000);
    await world.clock.advance(600_000);
    expect([world.launches, world.intent(DB1)]).toEqual([0, null]);
    expect(auditOf(world).at(-1)?.text).toContain('the plan is another one than was shown');
  });
});

describe('what blocks the next recovery', () => {
  test('is lifted by acknowledging the last one, and nothing else is', async () => {
    const world = new ScenarioCluster({ policy: { guard: { cooldownMs: 12 * HOUR_MS } } });
    world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    world.crash(activeOf(world));
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(60_000);
    world.crash(activeOf(world));
    await world.until('held', () => world.hold(DB1)?.reason === 'Cooldown', HOUR_MS);
    const opId = world.history(DB1)[0]?.opId ?? '';
    expect(await command(world, { kind: 'acknowledge', member: DB1, opId: 'op-none' })).toMatchObject({
      code: 'RECOVERY_UNKNOWN',
    });
    expect(await command(world, { kind: 'acknowledge', member: DB1, opId }, { reason: 'a bad host' })).toMatchObject({
      kind: 'done',
    });
    await world.until('replaced again', () => world.history(DB1).length === 2, HOUR_MS);
    expect(world.history(DB1).find((one) => one.opId === opId)?.acknowledged).toMatchObject({
      ...{ by: 'ann', why: 'a bad host' },
    });
    expect(await command(world, { kind: 'acknowledge', member: DB1, opId })).toMatchObject({
      kind: 'done',
      repeated: true,
    });
  });
});

describe('the hold of an open recovery', () => {
  test('is released at exactly the one that was shown, and returns with its reason where the cause stands', async () => {
    const world = new ScenarioCluster({ policy: { guard: { cooldownMs: 0 } } });
    const old = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    world.sim.addFault({
      ...{ id: 'refused', action: 'RunInstances', kind: 'error', code: 'Unsupported', httpStatus: 400, times: 100 },
    });
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'NoPlacementLeft', HOUR_MS);
    await world.clock.advance(1_000);
    const shown = world.mustLead().coordinator.controls.held(DB1);
    expect(shown).toMatchObject({ releasable: true, reason: 'NoPlacementLeft' });
    const release = (revision: number) => command(world, { kind: 'release-hold', member: DB1, revision });
    expect(await release((shown?.revision ?? 0) - 1)).toMatchObject({ code: 'REVISION_STALE' });
    expect(await release(shown?.revision ?? 0)).toMatchObject({ kind: 'done' });
    expect(world.hold(DB1)).toBeNull();
    await world.until('held again', () => world.hold(DB1)?.reason === 'NoPlacementLeft', HOUR_MS);
    world.sim.clearFaults();
    await world.clock.advance(1_000);
    await release(world.mustLead().coordinator.controls.held(DB1)?.revision ?? 0);
    expect(await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS)).toBeLessThan(300_000);
  });

  test('of what is so now cannot be released, and says what can be done', async () => {
    const world = await massFailure();
    const { revision = 0 } = world.mustLead().coordinator.controls.held(DB1) ?? {};
    expect(await command(world, { kind: 'release-hold', member: DB1, revision })).toMatchObject({
      ...{ code: 'NOT_RELEASABLE', text: expect.stringContaining('look at the network') },
    });
  });
});
