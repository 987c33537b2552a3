import { type ErrorCode, keyspace, type KvTxn, type KvWrite, OperationError } from '@understudy/shared';
import { SimClock, SimKv } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { WatchedStore } from './watched-store.ts';

const keys = keyspace();

function scene() {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const client = kv.client('c1');
  const store = new WatchedStore({ store: client, clock, root: keys.root });
  let refusal: unknown = null;
  const txn = client.txn.bind(client);
  client.txn = (one: KvTxn) => (refusal === null ? txn(one) : Promise.reject(refusal));
  const refuse = (code: ErrorCode | null) => {
    refusal = code === null ? null : new OperationError(code, 'refused');
  };
  const failWith = (error: unknown) => {
    refusal = error;
  };
  const send = (...writes: KvWrite[]) => store.txn({ compare: [], writes }).catch((error: unknown) => error);
  const put = (key: string) => send({ kind: 'put', key, value: '1' });
  const texts = () => store.refusals.map(({ text }) => text);
  return { clock, kv, client, store, refuse, failWith, send, put, texts };
}

describe('the watched store changes no call', () => {
  it('and gives back what etcd answers', async () => {
    const { clock, kv, client, store, put } = scene();
    await put('/a');
    expect(await store.get('/a')).toEqual(kv.state.get('/a'));
    expect((await store.range('/')).entries).toHaveLength(1);
    const { leaseId } = await store.grantLease(5_000);
    expect(await store.keepAlive(leaseId)).toEqual({ ttlMs: 5_000 });
    await store.revokeLease(leaseId);
    expect(kv.leaseIds()).toEqual([]);
    expect([await store.remembers('/a', 1), await store.serverVersions()]).toEqual([true, ['3.5.30']]);
    kv.refusesWrites = 'STORE_CORRUPT';
    expect(await store.alarms()).toEqual(['CORRUPT']);
    const seen: string[] = [];
    const watch = store.watch('/', 1, {
      onEvents: (events) => seen.push(...events.map(({ kind }) => kind)),
      onCompacted: () => undefined,
    });
    await clock.advance(5);
    watch.cancel();
    expect(seen).toEqual(['put']);
    await store.close();
    expect(client.closed).toBe(true);
  });
});

describe('a refused write', () => {
  it('names the area it lies in, or the key that is no area', async () => {
    const { refuse, put, send, texts } = scene();
    refuse('STORE_DENIED');
    await put(`${keys.opinions}g/m/c1`);
    await put(keys.leader);
    await send({ kind: 'delete', key: `${keys.holds}g/m` }, { kind: 'deletePrefix', prefix: `${keys.journal}op/` });
    expect(texts()).toEqual(
      [keys.opinions, keys.leader, keys.holds, keys.journal].map((area) => `write ${area}: STORE_DENIED: refused`),
    );
  });

  it('stands until a write of that area was taken, and no longer', async () => {
    const { store, refuse, put, send } = scene();
    refuse('STORE_DENIED');
    await put(`${keys.opinions}g/m/c1`);
    await put(`${keys.holds}g/m`);
    refuse(null);
    await put(`${keys.opinions}g/m/c2`);
    expect(store.refusals.map(({ text }) => text)).toEqual([`write ${keys.holds}: STORE_DENIED: refused`]);
    await send({ kind: 'delete', key: `${keys.holds}g/m` });
    expect(store.refusals).toHaveLength(1);
  });

  it('for want of space or for damage concerns all writes, until a put was taken', async () => {
    const { store, refuse, put, send } = scene();
    refuse('STORE_NO_SPACE');
    await put(`${keys.opinions}g/m/c1`);
    refuse(null);
    await send({ kind: 'delete', key: `${keys.opinions}g/m/c1` });
    expect(store.refusesAllWrites).toBe(true);
    const put7 = { kind: 'put', key: '/a', value: '1' } as const;
    await store.txn({ compare: [{ key: '/a', modRevision: 7 }], writes: [put7] });
    expect(store.refusesAllWrites).toBe(true);
    await put('/a');
    expect(store.refusesAllWrites).toBe(false);
  });

  it('of a lease concerns all writes: nothing can be put under one', async () => {
    const { client, store } = scene();
    client.grantLease = () => Promise.reject(new OperationError('STORE_DENIED', 'refused'));
    await expect(store.grantLease(5_000)).rejects.toThrow();
    expect(store.refusesAllWrites).toBe(true);
  });

  it('is dated by its first time, and the longest refused is the first', async () => {
    const { clock, store, refuse, put } = scene();
    const { holds, opinions } = keys;
    refuse('STORE_DENIED');
    await put(`${holds}g/m`);
    await clock.advance(1_000);
    await put(`${opinions}g/m/c1`);
    await put(`${holds}g/m`);
    expect(store.refusals.map(({ sinceMs }) => sinceMs)).toEqual([0, 1_000]);
    await clock.advance(1_000);
    refuse('STORE_REJECTED');
    await put(`${holds}g/m`);
    expect(store.refusals.map(({ code, sinceMs }) => [code, sinceMs])).toEqual([
      ['STORE_DENIED', 1_000],
      ['STORE_REJECTED', 2_000],
    ]);
    expect(store.refusedCounts).toEqual(
      new Map([
        ['STORE_DENIED', 3],
        ['STORE_REJECTED', 1],
      ]),
    );
  });
});

describe('a failure that is no refusal', () => {
  it('is remembered until a write is taken', async () => {
    const { store, refuse, put } = scene();
    refuse('STORE_UNAVAILABLE');
    await put('/a');
    expect([store.lastFailure, store.refusals]).toEqual(['STORE_UNAVAILABLE: refused', []]);
    refuse(null);
    await put('/a');
    expect(store.lastFailure).toBeNull();
  });

  it('is not etcd’s when a lease has ended, or when our own code threw', async () => {
    const { store, failWith, put } = scene();
    failWith(new OperationError('STORE_REJECTED', 'no lease', { upstreamCode: 'LEASE_NOT_FOUND' }));
    await put('/a');
    failWith(new TypeError('ours'));
    await put('/a');
    expect([store.lastFailure, store.refusals]).toEqual([null, []]);
  });

  it('of a read is none of writes', async () => {
    const { client, store } = scene();
    client.range = () => Promise.reject(new OperationError('STORE_UNAVAILABLE', 'away'));
    await expect(store.range('/')).rejects.toThrow('away');
    expect([store.lastFailure, store.refusals]).toEqual([null, []]);
  });
});

describe('a rehearsal', () => {
  it('that is taken proves that writes work, and takes back what was refused there', async () => {
    const { clock, store, refuse, put } = scene();
    refuse('STORE_DENIED');
    await put(`${keys.holds}g/m`);
    refuse(null);
    await clock.advance(5_000);
    expect(await store.rehearse(keys.leader, [`${keys.holds}x`])).toBe('taken');
    expect([store.writeProvenAtMs, store.refusals]).toEqual([5_000, []]);
  });

  it('of several keys that is denied says nothing of each: one by one it does', async () => {
    const { store, refuse } = scene();
    refuse('STORE_DENIED');
    expect(await store.rehearse(keys.leader, [keys.judge, keys.findings])).toBe('denied');
    expect(store.refusals).toEqual([]);
    expect(await store.rehearse(keys.leader, [keys.leader])).toBe('denied');
    expect(store.refusals.map(({ text }) => text)).toEqual([`write ${keys.leader}: STORE_DENIED: refused`]);
  });

  it('that fails for another reason is noted as a write would be', async () => {
    const { store, refuse } = scene();
    refuse('STORE_UNAVAILABLE');
    expect(await store.rehearse(keys.leader, [keys.judge, keys.findings])).toBe('failed');
    expect(store.lastFailure).toContain('STORE_UNAVAILABLE');
    refuse('STORE_NO_SPACE');
    expect(await store.rehearse(keys.leader, [keys.judge, keys.findings])).toBe('failed');
    expect(store.refusesAllWrites).toBe(true);
  });
});
