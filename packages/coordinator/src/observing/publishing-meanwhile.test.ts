import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { keys, opinion, setUp } from './opinion-publisher.fixtures.ts';

const verdicts = (stored: readonly { readonly record: { readonly verdict: string } }[]) =>
  stored.map(({ record }) => record.verdict);

describe('what changes while it is being written', () => {
  it('is written right after it, in one transaction more', async () => {
    const { clock, store, publisher, stored } = await setUp();
    store.slowTo(50);
    publisher.offer([opinion('db/a', 'suspect')]);
    const flushing = publisher.flush();
    expect(publisher.flush()).toBe(flushing);
    await clock.advance(60);
    publisher.offer([opinion('db/a', 'alive')]);
    await clock.runUntilSettled(flushing);
    expect([verdicts(await stored()), publisher.pendingCount, store.applied.txn]).toEqual([['alive'], 0, 2]);
  });

  it('and is no longer watched is deleted right after it', async () => {
    const { clock, store, publisher, stored } = await setUp();
    store.slowTo(50);
    publisher.offer([opinion('db/a', 'suspect')]);
    const flushing = publisher.flush();
    await clock.advance(60);
    publisher.forget(['db/a']);
    await clock.runUntilSettled(flushing);
    expect([await stored(), publisher.pendingCount, store.applied.txn]).toEqual([[], 0, 2]);
  });

  it('and is watched again while it is being deleted is written again', async () => {
    const { clock, store, publisher, flush, stored } = await setUp();
    publisher.offer([opinion('db/a', 'suspect')]);
    await flush();
    store.slowTo(50);
    publisher.forget(['db/a']);
    const removal = publisher.flush();
    await clock.advance(60);
    publisher.offer([opinion('db/a', 'alive')]);
    await clock.runUntilSettled(removal);
    await flush();
    await flush();
    expect([verdicts(await stored()), publisher.pendingCount]).toEqual([['alive'], 0]);
  });

  it('stops with our standing: the rest of a long flush is not sent in the name of one that is lost', async () => {
    const { clock, store, presence, publisher } = await setUp();
    store.slowTo(50);
    publisher.offer(Array.from({ length: 150 }, (_, index) => opinion(`db/m${index}`, 'alive')));
    const flushing = publisher.flush();
    await clock.advance(60);
    presence.lose();
    await clock.runUntilSettled(flushing);
    expect(store.applied.txn).toBe(1);
  });
});

describe('a key that is not as expected', () => {
  it('is no reason to doubt our presence, and is written over by the next flush', async () => {
    const { kv, presence, publisher, flush, stored } = await setUp();
    publisher.offer([opinion('db/a', 'suspect')]);
    await flush();
    const standing = presence.standing();
    kv.apply({ compare: [], writes: [{ kind: 'delete', key: keys.opinion('db/a', 'c1') }] });
    publisher.offer([opinion('db/a', 'alive')]);
    await flush();
    expect([await stored(), presence.standing(), publisher.failedInARow]).toEqual([[], standing, 0]);
    await flush();
    expect([verdicts(await stored()), publisher.pendingCount]).toEqual([['alive'], 0]);
  });

  it('is nothing that is due for a member that was never watched', async () => {
    const { publisher } = await setUp();
    publisher.forget(['db/never']);
    expect(publisher.pendingCount).toBe(0);
  });
});

describe('opinions that cannot be published', () => {
  it('stand while etcd is only away: it may be back at any time, and so may we', async () => {
    const { clock, store, presence, log, publisher, flush } = await setUp();
    publisher.offer([opinion('db/a', 'alive')]);
    store.inject({ kind: 'refuse', operation: 'txn', times: 1_000 });
    for (let round = 0; round < 30; round += 1) {
      await flush();
      await clock.advance(1_000);
    }
    expect([store.fired.refuse, presence.standing() !== null]).toEqual([30, true]);
    store.heal();
    await flush();
    expect(log.events()).toContain('opinions.publish.failed.over');
  });

  it('are withdrawn at 5 s of refusal, counted anew after a write that was taken', async () => {
    const { clock, kv, presence, publisher, flush } = await setUp();
    const refuse = async (forMs: number) => {
      kv.refusesWrites = 'STORE_CORRUPT';
      publisher.offer([opinion('db/a', 'suspect', { sinceMs: monotonicMs(clock.monotonicMs()) })]);
      await flush();
      await clock.advance(forMs);
      await flush();
    };
    await refuse(4_000);
    kv.refusesWrites = null;
    await flush();
    expect(publisher.pendingCount).toBe(0);
    await refuse(4_999);
    expect(presence.standing()).not.toBeNull();
    await clock.advance(1);
    await flush();
    expect(presence.standing()).toBeNull();
  });

  it('are not refused for the defect of another: only what etcd certainly refuses counts', async () => {
    const { clock, store, presence, publisher, flush } = await setUp();
    store.txn = () => Promise.reject(new TypeError('ours'));
    publisher.offer([opinion('db/a', 'alive')]);
    await flush();
    await clock.advance(6_000);
    await flush();
    expect([presence.standing() !== null, publisher.failedInARow]).toEqual([true, 2]);
  });
});

it('says nothing of when an instance was heard that never was', async () => {
  const { publisher, flush, stored } = await setUp();
  publisher.offer([opinion('db/a', 'dead', { lastHeardMs: null })]);
  await flush();
  expect((await stored())[0]?.record.lastHeardWallMs).toBeNull();
});
