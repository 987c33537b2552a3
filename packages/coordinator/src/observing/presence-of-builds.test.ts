import { serializeRecord } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { KEYS, TIMING } from '../leadership/leadership.fixtures.ts';
import { namesakes } from './namesakes.fixtures.ts';

const OLD = { level: 1, oldest: 1 };
const NEXT = { level: 2, oldest: 1 };

type World = ReturnType<typeof namesakes>;

const agree = ({ kv }: World, level: number | string) => {
  const stamp = { schemaVersion: 1, writeId: `agreed-${level}`, writtenBy: 'c9', writtenAtWallMs: 0 };
  const value = serializeRecord({ ...stamp, level, coordinatorId: 'c9', term: 1 });
  return kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.level, value }] });
};

describe('a presence beside an agreed feature level', () => {
  it('is written at a level that its build understands', async () => {
    const world = namesakes();
    agree(world, 2);
    const next = world.start({ build: NEXT });
    await world.clock.advance(2_000);
    expect(next.presence.standing()).not.toBeNull();
  });

  it('is never written above it, whenever the build starts', async () => {
    const world = namesakes();
    agree(world, 2);
    const old = world.start({ build: OLD });
    await world.clock.advance(60_000);
    expect([old.presence.standing(), world.entry()]).toEqual([null, null]);
    expect(old.log.lines.filter(({ event }) => event === 'feature_level.apart')).toHaveLength(1);
  });

  it('is given up with all that hangs on it once a higher level is agreed on, within a second', async () => {
    const world = namesakes();
    const old = world.start({ build: OLD });
    await world.clock.advance(2_000);
    expect(old.presence.standing()).not.toBeNull();
    agree(world, 2);
    await world.clock.advance(1_000);
    expect([old.presence.standing(), world.entry()]).toEqual([null, null]);
  });

  it('of a coordinator that slept through the agreement is not written when it wakes, not even late', async () => {
    for (const sleepsAtMs of [0, 1, 2, 3, 4, 5, 6, 8, 10, 50, 1_000]) {
      const world = namesakes();
      const old = world.start({ build: OLD });
      await world.clock.advance(sleepsAtMs);
      old.clock.pause();
      await world.clock.advance(TIMING.ttlMs + 2_000);
      expect(world.entry(), 'its lease has ended').toBeNull();
      agree(world, 2);
      old.clock.resume();
      await world.clock.advance(60_000);
      expect(world.entry(), `slept from ${sleepsAtMs} ms on`).toBeNull();
    }
  });

  it('is not written by a coordinator whose view of etcd does not show the agreement yet', async () => {
    const world = namesakes();
    const old = world.start({ build: OLD, watchLatencyMs: 30_000 });
    await world.clock.advance(2_000);
    expect(world.entry()).not.toBeNull();
    agree(world, 2);
    world.kv.revoke(old.session.leaseId() ?? '');
    for (let ms = 0; ms < 20_000; ms += 10) {
      await world.clock.advance(10);
      expect(world.entry(), `${ms} ms after the agreement`).toBeNull();
    }
  });

  it('comes back when the level is one it understands, and stays away from a record that cannot be read', async () => {
    const world = namesakes();
    agree(world, 'two');
    const old = world.start({ build: OLD });
    await world.clock.advance(10_000);
    expect(world.entry()).toBeNull();
    world.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.level }] });
    await world.clock.advance(7_000);
    expect(world.entry()).not.toBeNull();
    expect(old.log.events()).toContain('feature_level.joined');
  });
});
