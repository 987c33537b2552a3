import { type MemberId, monotonicMs } from '@understudy/shared';
import { RecordingLog, SeededRandom } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { keys, opinion, setUp } from './opinion-publisher.fixtures.ts';
import { OpinionPublisher } from './opinion-publisher.ts';

describe('OpinionPublisher', () => {
  it('writes what changed under the session lease, once', async () => {
    const { clock, publisher, flush, stored, presence } = await setUp();
    await clock.advance(5_000);
    publisher.offer([opinion('db/a', 'alive', { lastHeardMs: monotonicMs(4_000) })]);
    await flush();
    const [first] = await stored();
    expect(first?.entry).toMatchObject({ key: '/t/opinions/db/a/c1', leaseId: presence.standing()?.leaseId });
    expect(first?.record).toMatchObject({
      verdict: 'alive',
      observer: 'c1',
      observerAz: 'us-east-1a',
      instanceId: 'i-1',
    });
    expect(first?.record.lastHeardWallMs).toBe(clock.wallMs() - 1_000);
    await flush();
    expect((await stored())[0]?.entry.modRevision).toBe(first?.entry.modRevision);
    expect(publisher.pendingCount).toBe(0);
  });

  it('writes what is thought of services where anything is, dated by the wall clock', async () => {
    const { clock, publisher, flush, stored } = await setUp();
    await clock.advance(5_000);
    const service = {
      state: 'failing',
      probe: 'tcp-5432',
      reason: 'Refused',
      passedBefore: true,
      warning: null,
    } as const;
    publisher.offer([opinion('db/a', 'alive', { service: { ...service, sinceMs: monotonicMs(2_000) } })]);
    publisher.offer([opinion('db/b', 'alive')]);
    await flush();
    const [a, b] = await stored();
    expect(a?.record.service).toEqual({ ...service, sinceWallMs: clock.wallMs() - 3_000 });
    expect(b?.entry.value).not.toContain('service');
  });

  it('writes hundreds in transactions of at most 100', async () => {
    const { publisher, flush, stored } = await setUp();
    publisher.offer(Array.from({ length: 450 }, (_, i) => opinion(`db/m${i}` as MemberId, 'alive')));
    await flush();
    const revisions = new Map<number, number>();
    for (const { entry } of await stored())
      revisions.set(entry.modRevision, (revisions.get(entry.modRevision) ?? 0) + 1);
    expect([...revisions.values()].toSorted((a, b) => b - a)).toEqual([100, 100, 100, 100, 50]);
  });

  it('bounds the work of one flush; the next goes on', async () => {
    const { publisher, flush } = await setUp();
    publisher.offer(Array.from({ length: 2_500 }, (_, i) => opinion(`db/m${i}` as MemberId, 'alive')));
    await flush();
    expect(publisher.pendingCount).toBe(500);
    await flush();
    expect(publisher.pendingCount).toBe(0);
  });

  it('a failed write is due again; only the newest opinion is written then', async () => {
    const { store, publisher, flush, stored, log } = await setUp();
    store.inject({ kind: 'refuse', operation: 'txn' });
    publisher.offer([opinion('db/a', 'suspect')]);
    await flush();
    expect(store.fired.refuse).toBe(1);
    expect(publisher).toMatchObject({ pendingCount: 1, failedInARow: 1 });
    expect(log.events()).toContain('opinions.publish.failed');
    publisher.offer([opinion('db/a', 'alive')]);
    await flush();
    expect((await stored()).map(({ record }) => record.verdict)).toEqual(['alive']);
    expect(publisher).toMatchObject({ pendingCount: 0, failedInARow: 0 });
  });

  it('a write whose reply was lost is recognised by its revision and written over', async () => {
    const { store, publisher, flush, stored } = await setUp();
    store.inject({ kind: 'loseReply', operation: 'txn' });
    publisher.offer([opinion('db/a', 'suspect')]);
    await flush();
    expect(store.fired.loseReply).toBe(1);
    publisher.offer([opinion('db/a', 'alive')]);
    await flush();
    await flush();
    expect((await stored()).map(({ record }) => record.verdict)).toEqual(['alive']);
    expect(publisher.pendingCount).toBe(0);
  });

  it('a stale dead that lands late does not cover the alive written since', async () => {
    const { clock, store, publisher, flush, stored } = await setUp();
    publisher.offer([opinion('db/a', 'alive')]);
    await flush();
    store.inject({ kind: 'landLate', operation: 'txn', delayMs: 5_000 });
    publisher.offer([opinion('db/a', 'dead')]);
    await flush();
    expect(store.fired.landLate).toBe(1);
    publisher.offer([opinion('db/a', 'alive')]);
    await flush();
    expect((await stored()).map(({ record }) => record.verdict)).toEqual(['alive']);
    await clock.advance(10_000);
    // The session in this test does not renew its lease by itself. The opinion is still within its
    // 10 s here or gone, but never `dead`.
    expect((await stored()).map(({ record }) => record.verdict)).not.toContain('dead');
  });

  it('publishes everything anew under a new lease, and nothing while there is none', async () => {
    const { clock, store, presence, publisher, flush, stored } = await setUp();
    publisher.offer([opinion('db/a', 'alive'), opinion('db/b', 'suspect')]);
    await flush();
    presence.lose();
    await clock.advance(15_000);
    expect(await stored()).toEqual([]);
    publisher.offer([opinion('db/b', 'alive')]);
    await flush();
    expect(await stored()).toEqual([]);
    presence.take((await store.grantLease(10_000)).leaseId);
    await flush();
    await flush();
    expect((await stored()).map(({ record, entry }) => [record.member, record.verdict, entry.leaseId])).toEqual([
      ['db/a', 'alive', presence.standing()?.leaseId],
      ['db/b', 'alive', presence.standing()?.leaseId],
    ]);
  });

  it('withdraws what stands after 5 s of being refused, and publishes it all anew under a new lease', async () => {
    const { clock, kv, store, presence, log, publisher, flush, stored } = await setUp();
    publisher.offer([opinion('db/a', 'alive'), opinion('db/b', 'alive')]);
    await flush();
    kv.refusesWrites = 'STORE_NO_SPACE';
    publisher.offer([opinion('db/a', 'suspect')]);
    await flush();
    await clock.advance(4_900);
    await flush();
    expect(presence.standing()).not.toBeNull();
    await clock.advance(200);
    await flush();
    expect(presence.standing()).toBeNull();
    expect(log.events()).toContain('opinions.withdrawn');
    kv.refusesWrites = null;
    for (const leaseId of kv.leaseIds()) kv.revoke(leaseId);
    presence.take((await store.grantLease(10_000)).leaseId);
    await flush();
    await flush();
    expect((await stored()).map(({ record }) => [record.member, record.verdict])).toEqual([
      ['db/a', 'suspect'],
      ['db/b', 'alive'],
    ]);
  });

  it('takes over the keys of its own former process', async () => {
    const first = await setUp();
    first.publisher.offer([opinion('db/a', 'dead')]);
    await first.flush();
    first.publisher.stop();
    const second = new OpinionPublisher({
      store: first.store,
      keys,
      presence: first.presence,
      clock: first.clock,
      random: new SeededRandom(2),
      log: new RecordingLog(),
      observer: { id: 'c1', az: 'us-east-1a' },
    });
    second.offer([opinion('db/a', 'alive')]);
    await first.clock.runUntilSettled(second.flush());
    await first.clock.runUntilSettled(second.flush());
    expect((await first.stored()).map(({ record }) => record.verdict)).toEqual(['alive']);
  });

  it('deletes the opinion of a member that is no longer watched or has no activated instance', async () => {
    const { publisher, flush, stored, presence } = await setUp();
    publisher.offer([opinion('db/a', 'alive'), opinion('db/b', 'alive'), opinion('db/c', 'alive')]);
    await flush();
    publisher.forget(['db/a', 'db/never-seen']);
    publisher.offer([opinion('db/b', 'unknown', { instanceId: null, reason: 'NotActivated' })]);
    await flush();
    expect((await stored()).map(({ record }) => record.member)).toEqual(['db/c']);
    expect(publisher.pendingCount).toBe(0);
    publisher.stop();
    expect(presence.listeners.size).toBe(0);
  });

  it('writes nothing once the id is not ours: neither an opinion nor a removal, however late it lands', async () => {
    const { clock, kv, store, presence, publisher, flush, stored } = await setUp();
    publisher.offer([opinion('db/a', 'alive'), opinion('db/b', 'alive')]);
    await flush();
    const standing = presence.standing();
    store.inject({ kind: 'landLate', operation: 'txn', delayMs: 5_000 });
    publisher.offer([opinion('db/a', 'dead')]);
    await flush();
    // Another process has the id now, under a lease of its own. We have not heard of it.
    const other = kv.grant(10_000);
    const put = { kind: 'put', key: keys.coordinator('c1'), value: 'another process', leaseId: other.leaseId } as const;
    kv.apply({ compare: [], writes: [put] });
    publisher.forget(['db/b']);
    await flush();
    expect(presence.standing()).toBeNull();
    await flush();
    await clock.advance(6_000);
    expect([store.fired.landLate, standing?.compare.key]).toEqual([1, keys.coordinator('c1')]);
    expect((await stored()).map(({ record }) => [record.member, record.verdict])).toEqual([
      ['db/a', 'alive'],
      ['db/b', 'alive'],
    ]);
    expect(publisher.pendingCount).toBe(2);
  });

  it('goes on under the same lease when its presence was only written again', async () => {
    const { presence, publisher, flush, stored } = await setUp();
    publisher.offer([opinion('db/a', 'alive')]);
    await flush();
    const before = (await stored())[0]?.entry.modRevision;
    presence.take(presence.standing()?.leaseId ?? '');
    await flush();
    expect((await stored())[0]?.entry.modRevision).toBe(before);
    publisher.offer([opinion('db/a', 'suspect')]);
    await flush();
    expect((await stored()).map(({ record }) => record.verdict)).toEqual(['suspect']);
  });
});
