import { describe, expect, it } from 'vitest';
import { KEY, namesakes } from './namesakes.fixtures.ts';

async function standing(options: Parameters<ReturnType<typeof namesakes>['start']>[0] = {}) {
  const world = namesakes();
  const one = world.start(options);
  await world.clock.advance(1_000);
  const first = one.presence.standing();
  if (!first) throw new Error('no standing');
  return { ...world, one, first };
}

describe('our presence', () => {
  it('is written once, and not again while nothing changes', async () => {
    const { clock, one, first, entry } = await standing();
    await clock.advance(600_000);
    expect(one.presence.standing()).toBe(first);
    expect([entry()?.modRevision, one.store.applied.txn]).toEqual([first.compare.modRevision, 1]);
  });

  it('is written again every 5 s while etcd refuses writes, until it takes one: that proves that it does', async () => {
    let refused = false;
    const { kv, clock, one, first, entry } = await standing({ writesRefused: () => refused });
    kv.onCommit(() => {
      refused = false;
    });
    kv.refusesWrites = 'STORE_NO_SPACE';
    refused = true;
    await clock.advance(20_000);
    expect(one.store.fired.refusedWrite).toBeGreaterThanOrEqual(3);
    expect(one.store.fired.refusedWrite).toBeLessThanOrEqual(5);
    kv.refusesWrites = null;
    await clock.advance(5_100);
    expect(refused).toBe(false);
    const again = one.presence.standing();
    expect([again?.leaseId, again?.compare.modRevision]).toEqual([first.leaseId, entry()?.modRevision]);
    expect(again?.compare.modRevision).toBeGreaterThan(first.compare.modRevision);
    await clock.advance(60_000);
    expect(one.presence.standing()).toBe(again);
  });

  it('is given up when another process is found there by writing, before the watch tells', async () => {
    const { kv, clock, one } = await standing({ writesRefused: () => true, watchLatencyMs: 3_600_000 });
    const { leaseId } = kv.grant(600_000);
    kv.apply({ compare: [], writes: [{ kind: 'put', key: KEY, value: '{"of":"another"}', leaseId }] });
    let told = 0;
    one.presence.onChange(() => {
      told += 1;
    });
    await clock.advance(6_000);
    expect([one.presence.standing(), one.presence.duplicate?.code]).toEqual([null, 'DUPLICATE_COORDINATOR_ID']);
    expect(told).toBe(1);
  });

  it('comes back under a new lease at once when etcd has ended ours: its refusal tells', async () => {
    const { kv, one, first, until } = await standing();
    kv.revoke(first.leaseId);
    const tookMs = await until(() => (one.presence.standing()?.leaseId ?? first.leaseId) !== first.leaseId, 1_000);
    expect(tookMs).toBeLessThan(500);
  });

  it('that etcd does not take is a failure that is told, and its end too', async () => {
    const { clock, start } = namesakes();
    const one = start();
    one.store.inject({ kind: 'refuse', operation: 'txn', times: 3 });
    await clock.advance(30_000);
    expect(one.presence.standing()).not.toBeNull();
    expect(one.log.events()).toEqual(
      expect.arrayContaining(['presence.publish_failed', 'presence.publish_failed.over']),
    );
    expect(one.store.fired.refuse).toBe(3);
  });

  it('is not doubted for what somebody found of an earlier one', async () => {
    const { one, first, until } = await standing();
    one.presence.reportLost(first);
    await until(() => one.presence.standing() !== null, 1_000);
    const second = one.presence.standing();
    one.presence.reportLost(first);
    expect(one.presence.standing()).toBe(second);
  });

  it('is told to listeners until they unsubscribe', async () => {
    const { one, first, until } = await standing();
    let told = 0;
    const unsubscribe = one.presence.onChange(() => {
      told += 1;
    });
    one.presence.reportLost(first);
    await until(() => one.presence.standing() !== null, 1_000);
    expect(told).toBe(2);
    unsubscribe();
    one.presence.withdraw(one.presence.standing() ?? first);
    await until(() => one.presence.standing() !== null, 12_000);
    expect(told).toBe(2);
  });

  it('ends with us, and leaves nothing scheduled', async () => {
    const { clock, one, entry } = await standing();
    await one.close();
    await clock.advance(10);
    expect([entry(), one.presence.standing(), clock.pendingCount]).toEqual([null, null, 0]);
  });
});
