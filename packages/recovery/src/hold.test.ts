import type { HoldRecord, Term } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { type HoldText, readHold, writeHold } from './hold.ts';
import { KEYS, MEMBER, RunRig } from './run.fixtures.ts';

const TEXT: HoldText = { reason: 'CloudDenied', text: 'it is denied', sinceWallMs: 1_000, untilWallMs: null };

class Held extends RunRig {
  readonly place = { kv: this.parts.kv, keys: KEYS, member: MEMBER };
  readonly newTerm = this.term().term;

  write(over: Partial<HoldText> = {}, yields?: boolean, term: Term = this.newTerm): Promise<number | null> {
    return this.clock.runUntilSettled(writeHold(this.place, this.intent, term, { ...TEXT, ...over }, yields));
  }
  find() {
    return this.clock.runUntilSettled(readHold(this.place, this.opId));
  }
  byHand(over: object = {}): number {
    const record = { member: MEMBER, reason: 'Paused', text: 'by hand', sinceWallMs: 5, untilWallMs: 9, opId: null };
    return this.put(KEYS.hold(MEMBER), { ...record, ...over });
  }
  get stored(): (HoldRecord & { modRevision: number }) | null {
    const [entry] = this.kv.entries(KEYS.hold(MEMBER));
    return entry ? { ...(JSON.parse(entry.value) as HoldRecord), modRevision: entry.modRevision } : null;
  }
}

describe('the hold on a member', () => {
  test('is ours if it was written for this recovery', async () => {
    const rig = new Held();
    const modRevision = rig.byHand({ opId: rig.opId });
    const found = { reason: 'Paused', text: 'by hand', sinceWallMs: 5, untilWallMs: 9, carried: {} };
    expect(await rig.find()).toEqual({ modRevision, own: true, ...found });
    const other = rig.byHand({ opId: 'op-other' });
    expect(await rig.find()).toEqual({ modRevision: other, own: false, ...found });
  });

  test('is nobody’s where there is none', async () => {
    expect(await new Held().find()).toMatchObject({ modRevision: 0, own: false, text: '' });
  });

  test('that cannot be read is somebody else’s', async () => {
    const rig = new Held();
    const modRevision = rig.put(KEYS.hold(MEMBER), '{"no":"record"}');
    expect(await rig.find()).toMatchObject({ modRevision, own: false, text: '', reason: '' });
  });
});

describe('writing a hold', () => {
  test('keeps what a newer build wrote into it, while it is held for the same reason', async () => {
    const rig = new Held();
    rig.byHand({ opId: rig.opId, reason: TEXT.reason, madeUp: { deep: 1 } });
    await rig.write({ text: 'still denied' });
    expect(rig.stored).toMatchObject({ text: 'still denied', madeUp: { deep: 1 } });
    await rig.write({ reason: 'CaptureFailed' });
    expect(rig.stored).toMatchObject({ reason: 'CaptureFailed' });
    expect(rig.stored).not.toHaveProperty('madeUp');
  });

  test('says what holds the recovery, for whom, since when, until when', async () => {
    const rig = new Held();
    const revision = await rig.write({ untilWallMs: 2_000 });
    expect(rig.stored).toMatchObject({
      ...TEXT,
      untilWallMs: 2_000,
      member: MEMBER,
      opId: rig.opId,
      modRevision: revision,
    });
  });

  test('the same one again writes nothing', async () => {
    const rig = new Held();
    const revision = await rig.write();
    expect(await rig.write({ sinceWallMs: 9_000 })).toBe(revision);
    expect(rig.stored?.modRevision).toBe(revision);
  });

  test.each([
    ['another text for the same reason keeps since when', { text: 'still denied', sinceWallMs: 9_000 }, 1_000],
    ['another end for the same reason keeps since when', { untilWallMs: 7_000, sinceWallMs: 9_000 }, 1_000],
    ['what began earlier is said to have', { text: 'still denied', sinceWallMs: 500 }, 500],
    ['another reason is another hold', { reason: 'CloudRejected', sinceWallMs: 9_000 }, 9_000],
  ] as const)('%s', async (_name, over, sinceWallMs) => {
    const rig = new Held();
    await rig.write();
    await rig.write(over);
    expect(rig.stored).toMatchObject({ ...TEXT, ...over, sinceWallMs });
  });

  test('one of another recovery is overwritten, with our own time', async () => {
    const rig = new Held();
    rig.byHand({ opId: 'op-other', reason: 'CloudDenied' });
    await rig.write();
    expect(rig.stored).toMatchObject({ ...TEXT, opId: rig.opId });
  });

  test.each([
    ['stays where ours yields', true, null, 'Paused'],
    ['is replaced where it does not', false, expect.any(Number), 'CloudDenied'],
  ])('another’s hold %s', async (_name, yields, expected, reason) => {
    const rig = new Held();
    rig.byHand();
    expect(await rig.write({}, yields)).toEqual(expected);
    expect(rig.stored?.reason).toBe(reason);
  });

  test('ours does not yield to nobody, nor to itself', async () => {
    const rig = new Held();
    expect(await rig.write({}, true)).not.toBeNull();
    expect(await rig.write({ text: 'still denied' }, true)).not.toBeNull();
    expect(rig.stored?.text).toBe('still denied');
  });

  /** Before each of the first `times` transactions somebody else writes. */
  const disturbed = (rig: Held, times: number): Term => {
    let left = times;
    const commit: Term['commit'] = (write) => {
      left -= 1;
      if (left >= 0) rig.byHand({ text: `${left}` });
      return rig.newTerm.commit(write);
    };
    return Object.assign(Object.create(rig.newTerm) as Term, { commit });
  };

  test('is tried three times where somebody writes beside us', async () => {
    const rig = new Held();
    expect(await rig.write({}, false, disturbed(rig, 2))).not.toBeNull();
    expect(rig.stored?.reason).toBe('CloudDenied');
    const other = new Held();
    expect(await other.write({}, false, disturbed(other, 3))).toBeNull();
    expect(other.stored?.text).toBe('0');
  });

  test('of a recovery that is over is not done', async () => {
    const rig = new Held();
    rig.delete(KEYS.intent(MEMBER));
    expect(await rig.write()).toBeNull();
    expect(rig.stored).toBeNull();
  });
});
