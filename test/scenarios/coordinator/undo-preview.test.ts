import { opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS } from './scenario-cluster.ts';
import { ask, DB1, HOUR_MS, MINUTE_MS, type Replaced, replaced, undo } from './undo-staged.ts';

const CALLER = { identity: 'ann', from: '192.0.2.7', requestId: 'req-look' };

const look = async ({ world }: Replaced, acceptLossMs: number | null, opId: string | null = null) => {
  const { leader } = world.mustLead().coordinator;
  const answer = await world.clock.runUntilSettled(leader.undo({ member: DB1, acceptLossMs, opId, caller: CALLER }));
  if (answer.kind === 'refused') throw new Error(`${answer.code}: ${answer.text}`);
  return answer.view;
};

/** Those that EC2 carries out. */
const callsOf = (world: Replaced['world']) => world.sim.log.calls().filter(({ input }) => !('DryRun' in input));

const written = ({ world }: Replaced) => [world.kv.entries(KEYS.requests), world.kv.entries(KEYS.audit)];

describe('an undo that is only thought of', () => {
  test('is told with its steps, calls and losses, and changes nothing', async () => {
    const staged = await replaced();
    const { world, old, present } = staged;
    const before = callsOf(world).length;
    const view = await look(staged, HOUR_MS);
    expect(view).toMatchObject({ member: DB1, opId: opIdOf(present), wouldBegin: true, code: '', text: '' });
    expect(view.undoes).toMatchObject({ opId: opIdOf(old), presentInstanceId: present, retainedInstanceId: old });
    expect(view.undoes?.lostMs).toBeGreaterThan(MINUTE_MS);
    expect(view.losses.map(({ code }) => code)).toContain('WritesSinceActivationLost');
    expect(view.steps.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['fence', 'bringback', 'verify-1', 'activate', 'done']),
    );
    const calls = view.steps.flatMap((step) => step.calls ?? []);
    expect(calls).toContainEqual(
      expect.objectContaining({ action: 'StartInstances', parameters: { InstanceIds: [old] } }),
    );
    // As for any plan, what exists stands in for what the undo makes or moves.
    const address = calls.find(({ action }) => action === 'AssociateAddress')?.permission;
    expect(address).toMatchObject({ word: 'allowed', text: expect.stringContaining('tried with') });
    expect(calls.filter(({ permission }) => permission.word !== 'allowed')).toEqual([]);
    expect(view.forecast?.servesAfter.typicalMs).toBeGreaterThan(0);
    expect(written(staged)).toEqual([[], []]);
    const changing = callsOf(world)
      .slice(before)
      .filter(({ action }) => !action.startsWith('Describe'));
    expect(changing).toEqual([]);
  });

  test('is what the command then does', async () => {
    const staged = await replaced();
    const view = await look(staged, HOUR_MS);
    await ask(staged, { ...undo(HOUR_MS), opId: view.opId });
    const { world, old } = staged;
    await world.until('undone', () => world.history(DB1).some((one) => one.outcome === 'undone'), HOUR_MS);
    expect(world.activation(DB1)?.instanceId).toBe(old);
    const done = world.history(DB1).find((one) => one.opId === view.opId);
    const told = new Set(view.steps.map(({ id }) => id));
    expect(done?.steps.map(({ step }) => step).filter((step) => !told.has(step))).toEqual([]);
  });

  test('says what has to be accepted, and still what would be done then', async () => {
    const staged = await replaced();
    const view = await look(staged, MINUTE_MS);
    expect(view).toMatchObject({ wouldBegin: false, code: 'LossNotAccepted' });
    expect(view.text).toContain('--accept-loss');
    expect(view.steps.length).toBeGreaterThan(3);
    expect(view.undoes?.retainedInstanceId).toBe(staged.old);
  });

  test('says why it is refused in the words of the command', async () => {
    const staged = await replaced();
    staged.world.pause('group/prod');
    await staged.world.clock.advance(2 * MINUTE_MS);
    const view = await look(staged, HOUR_MS);
    expect(view).toMatchObject({ wouldBegin: false, code: 'Paused', undoes: null, steps: [] });
    const refusal = await ask(staged, undo(HOUR_MS));
    expect(refusal).toMatchObject({ code: 'UNDO_REFUSED', text: `${view.code}: ${view.text}` });
  });

  test('of an undo has to be named, as the command has to', async () => {
    const staged = await replaced();
    const { world, old } = staged;
    await ask(staged, undo(HOUR_MS));
    await world.until('undone', () => world.history(DB1).some((one) => one.outcome === 'undone'), HOUR_MS);
    await world.clock.advance(MINUTE_MS);
    expect(await look(staged, HOUR_MS)).toMatchObject({
      ...{ wouldBegin: false, code: 'UNDO_REFUSED', text: expect.stringContaining('UndoOfAnUndo') },
    });
    expect(await look(staged, HOUR_MS, opIdOf(old, 1))).toMatchObject({ wouldBegin: true });
  });
});
