import { describe, expect, test } from 'vitest';
import { KEYS, MEMBER, putThrough, RunRig } from './run.fixtures.ts';
import type { Run } from './run.ts';
import type { StandingReason } from './standing-hold.ts';
import { FENCE } from './steps/fence-record.ts';

const reason = (key: string, over: Partial<StandingReason> = {}): StandingReason => ({
  ...{ key, reason: 'CloudUnavailable', text: `${key} fails`, sinceWallMs: 1_000, untilWallMs: null },
  ...over,
});
const shown = (rig: RunRig): { text: string; reason: string } | null => {
  const [entry] = rig.kv.entries(KEYS.hold(MEMBER));
  return entry ? (JSON.parse(entry.value) as { text: string; reason: string }) : null;
};
const want = (rig: RunRig, run: Run, step: string, key = step): Promise<void> =>
  rig.clock.runUntilSettled(run.standing.want(step, reason(key)));
/** A run in which that step wants a hold. */
async function wanted(step: string): Promise<{ readonly rig: RunRig; readonly run: Run }> {
  const rig = new RunRig();
  const run = await rig.run();
  await want(rig, run, step);
  return { rig, run };
}
const write = (rig: RunRig, run: Run, state: 'started' | 'done' = 'started') =>
  rig.clock.runUntilSettled(
    run.journal.write<typeof FENCE>('fence', state === 'done' ? { state, result: { how: 'stopped' } } : { state }),
  );

describe('a hold beside the work', () => {
  test('is there once a step wants it, and stays when another step gets on', async () => {
    const { rig, run } = await wanted('capture');
    expect(shown(rig)).toMatchObject({ reason: 'CloudUnavailable', text: 'capture fails' });
    await write(rig, run, 'done');
    expect(shown(rig)).not.toBeNull();
  });

  test('goes with the next write of the journal once nothing fails any more', async () => {
    const { rig, run } = await wanted('capture');
    expect(run.standing.drop('capture')).toBe(true);
    await write(rig, run);
    expect(shown(rig)).toBeNull();
  });

  test('belongs to the step that failed first; it stays while any fails', async () => {
    const { rig, run } = await wanted('capture');
    await want(rig, run, 'permit-1');
    expect(shown(rig)?.text).toBe('capture fails');
    expect(run.standing.drop('capture')).toBe(false);
    await write(rig, run);
    expect(shown(rig)).not.toBeNull();
    await want(rig, run, 'permit-1');
    expect(shown(rig)?.text).toBe('permit-1 fails');
    expect(run.standing.drop('permit-1')).toBe(true);
  });

  test('that nobody wanted is not dropped', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    expect(run.standing.drop('capture')).toBe(false);
    expect(run.journal.holdRule).toBe('until-progress');
  });

  test('that was never shown needs no write to go', async () => {
    const rig = new RunRig();
    putThrough(rig, 'activate');
    const run = await rig.run();
    rig.put(KEYS.hold(MEMBER), {
      member: MEMBER,
      reason: 'Paused',
      text: 'p',
      sinceWallMs: 1,
      untilWallMs: null,
      opId: null,
    });
    await want(rig, run, 'done');
    expect(shown(rig)?.reason, 'another’s says more once the replacement serves').toBe('Paused');
    expect([run.journal.hold, run.standing.drop('done')]).toEqual([null, false]);
  });

  test('is not taken from another before the replacement serves', async () => {
    const rig = new RunRig();
    rig.put(KEYS.hold(MEMBER), {
      member: MEMBER,
      reason: 'Paused',
      text: 'p',
      sinceWallMs: 1,
      untilWallMs: null,
      opId: null,
    });
    await want(rig, await rig.run(), 'fence');
    expect(shown(rig)?.reason).toBe('CloudUnavailable');
  });

  test('for the same matter is written once; for another one it is written anew', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    const commits: number[] = [];
    rig.kv.onCommit(({ revision }) => commits.push(revision));
    await rig.clock.runUntilSettled(run.standing.want('capture', reason('k1')));
    await rig.clock.runUntilSettled(run.standing.want('capture', reason('k1', { text: 'in other words' })));
    expect([commits.length, shown(rig)?.text]).toEqual([1, 'k1 fails']);
    await want(rig, run, 'capture', 'k2');
    expect([commits.length, shown(rig)?.text]).toEqual([2, 'k2 fails']);
  });

  test('is written again after it was dropped', async () => {
    const { rig, run } = await wanted('capture');
    run.standing.drop('capture');
    await write(rig, run);
    await want(rig, run, 'capture');
    expect(shown(rig)).not.toBeNull();
  });

  test('is written again, while it still fails, after a person has removed it', async () => {
    const { rig, run } = await wanted('capture');
    rig.delete(KEYS.hold(MEMBER));
    run.standing.forget();
    expect(run.journal.holdRule).toBe('until-progress');
    expect(run.standing.drop('capture'), 'nobody has wanted one since').toBe(false);
    await want(rig, run, 'capture');
    expect(shown(rig)).not.toBeNull();
  });

  test('goes on under another name where the matter does', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    await want(rig, run, 'permit-1');
    run.standing.handOver('permit-1', 'placement');
    run.standing.handOver('permit-9', 'image');
    expect(run.standing.drop('permit-1')).toBe(false);
    expect(run.standing.drop('placement')).toBe(true);
  });

  test('two that are wanted at once are written one after the other', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    rig.kv.client('term-1').slowTo(50);
    rig.kv.client('c1').slowTo(50);
    await rig.clock.runUntilSettled(
      Promise.all([run.standing.want('capture', reason('a')), run.standing.want('capture', reason('b'))]),
    );
    expect(shown(rig)?.text).toBe('b fails');
    expect(run.standing.drop('capture')).toBe(true);
    await write(rig, run);
    expect(shown(rig)).toBeNull();
  });

  test('that could not be written is tried again the next time', async () => {
    const rig = new RunRig();
    const run = await rig.run();
    rig.kv.client('term-1').inject({ kind: 'refuse', operation: 'txn' });
    await expect(want(rig, run, 'capture')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await want(rig, run, 'capture');
    expect(shown(rig)?.text).toBe('capture fails');
  });
});
