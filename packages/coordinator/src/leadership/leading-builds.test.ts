import { serializeRecord } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { LevelGate } from '../store/level-gate.ts';
import { KEYS, LeadershipRig, TIMING } from './leadership.fixtures.ts';

const OLD = { level: 1, oldest: 1 };
const NEXT = { level: 2, oldest: 1 };

const agree = (rig: LeadershipRig, level: number) => {
  const stamp = { schemaVersion: 1, writeId: `agreed-${level}`, writtenBy: 'c9', writtenAtWallMs: 0 };
  const value = serializeRecord({ ...stamp, level, coordinatorId: 'c9', term: 1 });
  rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.level, value }] });
};

function candidate(rig: LeadershipRig, id: string, build: typeof OLD) {
  const process = rig.process(id);
  const levelGate = new LevelGate({ key: KEYS.level, build, log: process.log });
  return { process, levelGate, leadership: rig.leadership(process, { levelGate }) };
}

describe('an election beside an agreed feature level', () => {
  it('is won by a build that understands it, though it learns of it only by being refused', async () => {
    const rig = new LeadershipRig();
    agree(rig, 2);
    const { leadership } = candidate(rig, 'next', NEXT);
    await rig.clock.advance(3_000);
    expect(leadership.current()).not.toBeNull();
  });

  it('is not won by one that does not, while there is no other', async () => {
    const rig = new LeadershipRig();
    agree(rig, 2);
    const { leadership, levelGate } = candidate(rig, 'old', OLD);
    await rig.clock.advance(10 * TIMING.ttlMs);
    expect([leadership.current(), rig.kv.entries(KEYS.leader)]).toEqual([null, []]);
    expect(levelGate.problem()).toMatchObject({ code: 'BUILD_TOO_OLD' });
  });

  it('is not won by an older build that waited for it when the level was raised', async () => {
    const rig = new LeadershipRig();
    const next = candidate(rig, 'next', NEXT);
    await rig.clock.advance(1_000);
    const old = candidate(rig, 'old', OLD);
    await rig.clock.advance(1_000);
    expect([next.leadership.current() !== null, old.leadership.current()]).toEqual([true, null]);
    agree(rig, 2);
    next.process.store.cut();
    await rig.clock.advance(10 * TIMING.ttlMs);
    expect(old.leadership.current()).toBeNull();
    expect(rig.overlaps()).toEqual([]);
  });

  it('ends for a leader whose build does not understand what a hand has written', async () => {
    const rig = new LeadershipRig();
    const { leadership, levelGate } = candidate(rig, 'old', OLD);
    await rig.clock.advance(1_000);
    expect(leadership.current()).not.toBeNull();
    agree(rig, 2);
    levelGate.note({ recorded: 2, modRevision: rig.kv.entries(KEYS.level)[0]?.modRevision ?? 0 });
    await rig.clock.advance(1_000);
    expect([leadership.current(), rig.kv.entries(KEYS.leader)]).toEqual([null, []]);
  });
});
