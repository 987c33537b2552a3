import type { KvEntry } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { KEYS, LeadershipRig, type RigProcess } from './leadership.fixtures.ts';

/**
 * What a candidate may find when it reads its win back. Its term is only an entry under its own
 * lease with its own nonce.
 */

/** Lets `meddle` run between the transaction that won and the read that confirms it, once. */
function meddling(process: RigProcess, meddle: (won: KvEntry) => void): { readonly done: () => boolean } {
  let done = false;
  const get = process.store.get.bind(process.store);
  process.store.get = async (key: string) => {
    const [won] = process.store.server.state.range(KEYS.leader).entries;
    if (!done && key === KEYS.leader && won) {
      done = true;
      meddle(won);
    }
    return get(key);
  };
  return { done: () => done };
}

async function wonWhile(meddle: (rig: LeadershipRig, won: KvEntry) => void) {
  const rig = new LeadershipRig();
  const p1 = rig.process('c1');
  const meddled = meddling(p1, (won) => meddle(rig, won));
  const c1 = rig.leadership(p1);
  await rig.clock.advance(20);
  expect(meddled.done()).toBe(true);
  return { rig, c1, log: p1.log };
}

const put = (rig: LeadershipRig, value: string, leaseId?: string) =>
  rig.kv.apply({
    compare: [],
    writes: [{ kind: 'put', key: KEYS.leader, value, ...(leaseId === undefined ? {} : { leaseId }) }],
  });

describe('a win that is read back', () => {
  it('is nobody’s term when the key is gone by then', async () => {
    const { rig, c1, log } = await wonWhile((world) => {
      world.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
    });
    expect(log.events()).not.toContain('leadership.attempt.unclear');
    expect([rig.kv.entries(KEYS.leader), rig.beliefs, c1.current()]).toEqual([[], [], null]);
  });

  it('is not ours when our lease has ended and a rival holds the key: its term is not led under', async () => {
    const { rig, c1 } = await wonWhile((world, won) => {
      world.kv.revoke(won.leaseId ?? '');
      put(world, won.value.replaceAll('c1', 'c2').replace(/"writeId":"[^"]*"/, '"writeId":"w-rival"'));
    });
    await rig.clock.advance(30_000);
    expect(rig.kv.entries(KEYS.leader)).toHaveLength(1);
    expect([rig.beliefs, c1.current()]).toEqual([[], null]);
  });

  it('is not ours by its nonce alone: somebody put our own record back without our lease', async () => {
    const { rig, c1 } = await wonWhile((world, won) => {
      world.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
      put(world, won.value);
    });
    await rig.clock.advance(30_000);
    expect([rig.beliefs, c1.current()]).toEqual([[], null]);
  });

  it('is not ours by its lease alone: somebody overwrote our record under it', async () => {
    const { rig, c1 } = await wonWhile((world, won) => {
      put(world, won.value.replace(/"writeId":"[^"]*"/, '"writeId":"w-other"'), won.leaseId ?? undefined);
    });
    await rig.clock.advance(5_000);
    expect([rig.beliefs, c1.current()]).toEqual([[], null]);
  });

  it('is ours when nobody meddled', async () => {
    const { rig, c1 } = await wonWhile(() => undefined);
    expect(c1.current()?.number).toBe(rig.kv.entries(KEYS.leader)[0]?.createRevision);
    expect(rig.beliefs).toHaveLength(1);
  });
});
