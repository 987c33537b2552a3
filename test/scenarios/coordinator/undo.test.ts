import { type MemberId, opIdOf } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { auditOf, command } from './commanding.ts';
import { KEYS, type ScenarioCluster } from './scenario-cluster.ts';
import { ask, DB1, HOUR_MS, MINUTE_MS, type Replaced, replaced, undo } from './undo-staged.ts';

const PREPARES: PolicyChange = {
  detect: { confirmForMs: 10 * MINUTE_MS },
  guard: { cooldownMs: 0 },
  recover: { prepare: { makes: ['snapshot'], atOnce: 1, perDay: 10, keptForMs: HOUR_MS } },
};

const undone = ({ world }: Replaced) => world.history(DB1).find((one) => one.outcome === 'undone');
const verdict = ({ world }: Replaced) => world.mustLead().coordinator.leader.judged(DB1)?.verdict;

describe('understudy undo', () => {
  test('has the replaced instance serve again, says who asked and why, and is answered once', async () => {
    const staged = await replaced();
    const { world, old, present } = staged;
    const first = await ask(staged, undo(HOUR_MS), 'key-1');
    expect(first).toMatchObject({
      kind: 'accepted',
      repeated: false,
      request: { kind: 'undo', opId: opIdOf(present) },
    });
    await world.until('undone', () => undone(staged) !== undefined, HOUR_MS);
    expect(await ask(staged, undo(HOUR_MS), 'key-1')).toMatchObject({ kind: 'accepted', repeated: true });
    expect(world.activation(DB1)).toMatchObject({ instanceId: old, incarnation: 3, ordinal: 1 });
    expect(undone(staged)?.acts).toMatchObject([
      { kind: 'undo', by: 'ann', why: 'it was the switch', text: `an undo of ${opIdOf(old)} was begun` },
    ]);
    expect(auditOf(world).filter((one) => one.kind === 'undo')).toHaveLength(1);
    await world.until('heard', () => verdict(staged) === 'alive', MINUTE_MS);
    await world.clock.advance(10 * MINUTE_MS);
    expect([world.hold(DB1), world.intent(DB1), verdict(staged)]).toEqual([null, null, 'alive']);
    const states = [old, present].map((id) => world.sim.core.region.instances.get(id)?.state);
    expect(states).toEqual(['running', 'stopped']);
    world.expectHealthy();
  });

  test('that is given again after it is through does not take itself back, unless it is named', async () => {
    const staged = await replaced();
    const { world, old, present } = staged;
    await ask(staged, undo(HOUR_MS));
    await world.until('undone', () => undone(staged) !== undefined, HOUR_MS);
    await world.clock.advance(MINUTE_MS);
    const again = await ask(staged, undo(HOUR_MS));
    expect(again).toMatchObject({ code: 'UNDO_REFUSED', text: expect.stringMatching(/^UndoOfAnUndo: /) });
    expect(world.activation(DB1)?.instanceId).toBe(old);
    expect(await ask(staged, { ...undo(HOUR_MS), opId: opIdOf(old, 1) })).toMatchObject({ kind: 'accepted' });
    await world.until('back', () => world.activation(DB1)?.instanceId === present, HOUR_MS);
  });

  test('leaves a member that is judged like any other: when it fails, it is replaced again', async () => {
    const staged = await replaced();
    const { world, old } = staged;
    await ask(staged, undo(HOUR_MS));
    await world.until('undone', () => undone(staged) !== undefined, HOUR_MS);
    await world.clock.advance(30 * MINUTE_MS);
    world.crash(old);
    await world.until('replaced again', () => world.activation(DB1)?.instanceId !== old, HOUR_MS);
    await world.until('closed', () => world.intent(DB1) === null, HOUR_MS);
    expect(world.history(DB1).map((one) => one.opId)).toContain(opIdOf(old, 1));
    expect(world.activation(DB1)).toMatchObject({ incarnation: 4, ordinal: 0 });
    world.expectHealthy();
  });

  test('is refused at once with what would be lost, and nothing is written', async () => {
    const staged = await replaced();
    const refusal = { kind: 'refused', code: 'UNDO_REFUSED' };
    expect(await ask(staged, undo())).toMatchObject({ ...refusal, text: expect.stringMatching(/^LossNotAccepted: /) });
    expect(await ask(staged, undo(MINUTE_MS))).toMatchObject(refusal);
    const { world } = staged;
    expect([world.kv.entries(KEYS.requests), world.kv.entries(KEYS.audit)]).toEqual([[], []]);
  });

  test.each([
    ['paused', (world: ScenarioCluster) => world.pause('group/prod'), /^Paused: /],
    [
      'whose instance somebody has terminated',
      (world: ScenarioCluster, old: string): void => void world.sim.seed('TerminateInstances', { InstanceIds: [old] }),
      /^NotRetained: /,
    ],
    [
      'whose instance somebody has started',
      (world: ScenarioCluster, old: string): void => void world.sim.seed('StartInstances', { InstanceIds: [old] }),
      /^(?:NotStopped|ClaimAgainstActivation): /,
    ],
  ] as const)('is refused of a member %s', async (_, change, text) => {
    const staged = await replaced();
    change(staged.world, staged.old);
    await staged.world.clock.advance(2 * MINUTE_MS);
    expect(await ask(staged, undo(HOUR_MS))).toMatchObject({ code: 'UNDO_REFUSED', text: expect.stringMatching(text) });
  });

  test('of a member whose recovery is open, or that was never replaced, is refused', async () => {
    const staged = await replaced();
    const other: MemberId = 'prod/db2';
    const refusal = { code: 'UNDO_REFUSED', text: expect.stringMatching(/^NothingToUndo: /) };
    expect(await ask(staged, { ...undo(HOUR_MS), member: other })).toMatchObject(refusal);
    await ask(staged, undo(HOUR_MS));
    const { world } = staged;
    await world.until('begun', () => world.intent(DB1) !== null, MINUTE_MS);
    expect(await ask(staged, undo(HOUR_MS))).toMatchObject({ text: expect.stringMatching(/^RecoveryOpen: /) });
  });

  test('that a pause comes before is dropped, with the reason in the audit log', async () => {
    const staged = await replaced();
    const { world, present } = staged;
    const { why: _, ...asked } = undo(HOUR_MS);
    await command(world, { ...asked, overrides: [], planToken: null });
    world.pause('global');
    await world.clock.advance(5 * MINUTE_MS);
    expect(world.activation(DB1)?.instanceId).toBe(present);
    expect(world.kv.entries(KEYS.requests)).toEqual([]);
    expect(auditOf(world).at(-1)?.text).toMatch(/undo of prod\/db1 is refused: Paused: /);
  });

  test('goes on under another leader, and is shown in the plan beforehand', async () => {
    const staged = await replaced();
    const { world, old } = staged;
    const shown = await world.clock.runUntilSettled(world.mustLead().coordinator.leader.plan(DB1));
    expect(shown).toMatchObject({ view: { undo: { isPossible: true, code: 'LossNotAccepted' } } });
    await ask(staged, undo(HOUR_MS));
    await world.until('begun', () => world.intent(DB1) !== null, MINUTE_MS);
    world.kill(world.mustLead());
    await world.until('undone', () => undone(staged) !== undefined, HOUR_MS);
    expect(world.activation(DB1)).toMatchObject({ instanceId: old, incarnation: 3 });
  });

  test('drops what was made while the member is suspect first, and goes on under the next name', async () => {
    const staged = await replaced(PREPARES);
    const { world, old, present } = staged;
    const early = () =>
      world.cloud.core.region.snapshots.all().filter((one) => one.tags['understudy:op'] === opIdOf(present));
    await world.silence(present);
    await world.until('made', () => early().length > 0, MINUTE_MS);
    await ask(staged, undo(HOUR_MS));
    await world.until('undone', () => undone(staged) !== undefined, HOUR_MS);
    expect(undone(staged)).toMatchObject({ opId: opIdOf(present, 1) });
    expect(world.activation(DB1)?.instanceId).toBe(old);
    await world.until('gone', () => early().length === 0, 5 * MINUTE_MS);
    world.expectHealthy();
  });
});
