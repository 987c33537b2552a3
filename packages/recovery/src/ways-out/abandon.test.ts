import type { HistoryRecord, JournalRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, LAUNCH_REQUEST, MEMBER, NEW, OLD, PERMIT_REQUEST, putThrough, REVOKE_REQUEST } from '../run.fixtures.ts';
import { type Asked, beforeActivation } from './ways-out.fixtures.ts';

const PROTECTED = { plan: { protection: { stop: true, termination: false } } };
const FENCE = { oldInstanceId: OLD, skipOsShutdown: true };
const TAKEN_OFF = `the stop protection of ${OLD} was taken off; it is put back`;

/** The history of a recovery that is abandoned as it stands. */
async function abandoned(rig: Asked): Promise<HistoryRecord> {
  rig.ask({ kind: 'abandon', leaveOpen: true });
  expect((await rig.carryOut()).outcome).toEqual({ kind: 'closed' });
  const [entry] = rig.kv.entries(KEYS.historyEntry(MEMBER, rig.opId));
  return JSON.parse(entry?.value ?? '{}') as HistoryRecord;
}

async function fencedAs(fence: Partial<JournalRecord> | null, options = {}): Promise<HistoryRecord> {
  const rig = beforeActivation(options);
  if (fence) rig.putStep('fence', { request: FENCE, ...fence });
  return abandoned(rig);
}
const sent = (sends: Record<string, number>) => ({ result: { sends } });
const done = (how: string) => ({ state: 'done' as const, result: { how } });

describe('whoever abandons a recovery is told of the old instance', () => {
  const untouched = `${OLD} was not touched`;
  const asked = `${OLD} was asked to stop and not seen stopped: the stop may still take effect`;
  test.each<[string, Partial<JournalRecord> | null, HistoryRecord['fencedBy'], string]>([
    ['not touched where the fence has not begun', null, null, untouched],
    ['not touched where nothing was sent', {}, null, untouched],
    ['not touched where it was marked only', sent({ mark: 1 }), null, untouched],
    ['a stop that may still take effect', sent({ mark: 1, stop: 1 }), null, asked],
    ['stopped by us', done('stopped'), 'stopped', `${OLD} is stopped, by us; start it and it serves again`],
    ['terminated', done('terminated'), 'terminated', `${OLD} is terminated`],
  ])('%s', async (_name, fence, fencedBy, text) => {
    const history = await fencedAs(fence);
    expect([history.fencedBy, history.leftAs?.[0]]).toEqual([fencedBy, text]);
  });

  test.each<[string, Partial<JournalRecord> | null, object, boolean]>([
    ['there still, where nothing was done', null, PROTECTED, false],
    ['there still, where it was not asked to go yet', sent({ mark: 1 }), PROTECTED, false],
    ['gone, where it was asked to go', sent({ unprotect: 1 }), PROTECTED, true],
    ['gone, where it came after the plan and was asked to go', sent({ stop: 1, unprotect: 1 }), {}, true],
    ['gone from an instance that we stopped', done('stopped'), PROTECTED, true],
    ['gone from one whose serve lease was waited out', done('lease'), PROTECTED, true],
    ['no matter of one that is terminated', done('terminated'), PROTECTED, false],
    ['never there', done('stopped'), {}, false],
  ])('its stop protection is %s', async (_name, fence, options, gone) => {
    const history = await fencedAs(fence, options);
    expect(history.leftAs?.includes(TAKEN_OFF)).toBe(gone);
    // What is gone is owed, and the collector puts it back: the member keeps this instance.
    const chore = { kind: 'protect', instanceId: OLD, stop: true, termination: false };
    expect(history.owed.map((one) => one.chore)).toEqual(gone ? [chore] : []);
  });
});

describe('whoever abandons a recovery is told of what it made', () => {
  test.each([
    ['nothing is noted yet', null, []],
    ['none is recorded', { set: null, failedSets: [1] }, []],
    [
      'the set is recorded, and its snapshots are not complete yet',
      { set: { number: 2, snapshots: [{ snapshotId: 'snap-2', volumeId: 'vol-1' }] }, failedSets: [1] },
      ['snap-2'],
    ],
  ])('snapshots, while the capture goes on: %s', async (_name, noted, ids) => {
    const rig = beforeActivation();
    putThrough(rig, 'fence');
    rig.putStep('capture', {
      request: { instanceId: OLD, description: 'd', tags: {} },
      result: { sends: { snapshots: 1 }, ...(noted && { noted }) },
    });
    const history = await abandoned(rig);
    expect(history.leftovers.map(({ kind, id }) => [kind, id])).toEqual(ids.map((id) => ['snapshot', id]));
  });

  test('the permit of an attempt that is left open: a launch with it may still land', async () => {
    const rig = beforeActivation();
    putThrough(rig, 'permit-1');
    rig.putStep('launch-1', { request: LAUNCH_REQUEST, result: { sends: { launch: 1 } } });
    const { leftAs, leftovers, launchAttempts } = await abandoned(rig);
    expect(leftAs).toContain('network interface eni-1: a launch with it may still land');
    expect(leftovers.map(({ id }) => id)).toEqual(['ami-9', 'snap-1']);
    expect(launchAttempts).toBe(1);
  });

  test('an attempt that is not to be left open is ended first, and nothing is closed before', async () => {
    const rig = beforeActivation();
    putThrough(rig, 'launch-1');
    rig.ask({ kind: 'abandon' });
    rig.drive = async (_run, { id }) => {
      throw new Error(`${id} is driven`);
    };
    await expect(rig.carryOut()).rejects.toThrow('revoke-1 is driven');
    expect(rig.has(KEYS.intent(MEMBER))).toBe(true);
    const open = beforeActivation();
    putThrough(open, 'launch-1');
    await abandoned(open);
    expect(open.driven).toEqual([]);
  });

  test('no permit of an attempt that got none, though the attempt counts', async () => {
    const rig = beforeActivation();
    putThrough(rig, 'permit-1', { 'permit-1': { state: 'failed', result: { failure: 'capacity' } } });
    const { leftAs, launchAttempts } = await abandoned(rig);
    expect([leftAs?.join('\n').includes('network interface'), launchAttempts]).toEqual([false, 1]);
  });

  test('how often a launch was attempted: one that is ended counts, one that has not begun does not', async () => {
    const rig = beforeActivation();
    putThrough(rig, 'permit-1');
    rig.putStep('revoke-1', {
      state: 'done',
      request: REVOKE_REQUEST,
      result: { instanceTerminated: true, permitGone: true },
    });
    expect((await abandoned(rig)).launchAttempts).toBe(1);
    const second = beforeActivation();
    putThrough(second, 'permit-1');
    second.putStep('revoke-1', {
      state: 'done',
      request: REVOKE_REQUEST,
      result: { instanceTerminated: true, permitGone: true },
    });
    second.putStep('permit-2', { request: PERMIT_REQUEST });
    expect((await abandoned(second)).launchAttempts).toBe(2);
    expect((await abandoned(beforeActivation())).launchAttempts).toBe(0);
  });

  test('a replacement that was launched and never activated', async () => {
    const rig = beforeActivation();
    putThrough(rig, 'launch-1');
    expect((await abandoned(rig)).leftAs?.join('\n')).toContain(`instance ${NEW}, launched and never activated`);
  });
});
