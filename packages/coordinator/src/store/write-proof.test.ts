import { keyspace, type KvTxn, OperationError } from '@understudy/shared';
import { RecordingLog, SimClock, SimKv } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { WatchedStore } from './watched-store.ts';
import { WriteProof, writtenKeys } from './write-proof.ts';

const keys = keyspace();

function scene() {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const client = kv.client('c1');
  const log = new RecordingLog();
  const store = new WatchedStore({ store: client, clock, root: keys.root });
  const proof = new WriteProof({ store, keys, clock, log });
  const write = (key = keys.coordinator('c1')) =>
    store.txn({ compare: [], writes: [{ kind: 'put', key, value: '1' }] }).catch(() => undefined);
  const codes = () => proof.problems().map(({ code }) => code);
  return { clock, kv, client, log, store, proof, write, codes };
}

/** Refuses transactions that put any key for which `denies` is true. */
function denying(client: { txn(txn: KvTxn): Promise<unknown> }, denies: (key: string) => boolean): void {
  const txn = client.txn.bind(client);
  Object.assign(client, {
    txn: (request: KvTxn) =>
      request.writes.some((write) => write.kind === 'put' && denies(write.key))
        ? Promise.reject(new OperationError('STORE_DENIED', 'permission denied'))
        : txn(request),
  });
}

it('every area of the keyspace is rehearsed, but for what people write', () => {
  const rehearsed = writtenKeys(keys).map((key) => key.replace('.rehearsal', ''));
  const areas = Object.values(keys).filter(
    (value): value is string => typeof value === 'string' && value !== keys.root,
  );
  expect(rehearsed.toSorted()).toEqual(areas.filter((area) => area !== keys.groups && area !== keys.pauses).toSorted());
});

describe('the proof that etcd takes writes', () => {
  it('costs a request each 10 s while nothing is written, and no revision', async () => {
    const { clock, kv, client, proof, codes } = scene();
    proof.start();
    await clock.advance(600_000);
    expect(kv.revision).toBe(scene().kv.revision);
    expect(client.applied.txn).toBeGreaterThan(50);
    expect(client.applied.txn).toBeLessThanOrEqual(61);
    expect(codes()).toEqual([]);
    await proof.close();
  });

  it('is what is written anyway, but for a rehearsal a minute', async () => {
    const { clock, client, proof, write } = scene();
    proof.start();
    await clock.advance(1_000);
    const before = client.applied.txn;
    for (let i = 0; i < 60; i += 1) {
      await write();
      await clock.advance(5_000);
    }
    expect(client.applied.txn - before - 60).toBeLessThanOrEqual(6);
    await proof.close();
  });

  it.each([
    ['STORE_NO_SPACE', 'alarm disarm'],
    ['STORE_CORRUPT', 'corrupt member'],
  ] as const)(
    '%s is a problem with its remedy within 10 s, logged each minute, gone with the next write',
    async (code, remedy) => {
      const { clock, kv, log, store, proof, write, codes } = scene();
      proof.start();
      await clock.advance(60_000);
      kv.refusesWrites = code;
      await clock.advance(10_000);
      expect(codes()).toEqual([code]);
      expect(proof.problems()[0]?.remedy).toContain(remedy);
      expect(proof.trouble()).toContain(code);
      await clock.advance(180_000);
      const lines = log.lines.filter((line) => line.event === 'store.writes_refused');
      expect(lines.length).toBeGreaterThanOrEqual(3);
      expect(lines.length).toBeLessThanOrEqual(4);
      expect(store.refusedCounts.get(code)).toBeGreaterThan(10);
      expect(codes()).toEqual([code]);
      kv.refusesWrites = null;
      await clock.advance(10_000);
      // The write was only rehearsed; nothing was written yet.
      expect(codes()).toEqual([code]);
      await write();
      await clock.advance(5_000);
      expect(codes()).toEqual([]);
      expect(log.events()).toContain('store.writes_refused.over');
      await proof.close();
    },
  );

  it('names every area a role does not allow, and those only', async () => {
    const { clock, client, proof, codes } = scene();
    let allowed = false;
    denying(client, (key) => !allowed && (key.startsWith(keys.journal) || key.startsWith(keys.holds)));
    proof.start();
    await clock.advance(1_000);
    expect(codes()).toEqual(['STORE_DENIED']);
    const { text, remedy } = proof.problems()[0] ?? { text: '', remedy: '' };
    expect(text).toContain(`write ${keys.journal}`);
    expect(text).toContain(`write ${keys.holds}`);
    expect(text).not.toContain(keys.opinions);
    expect(remedy).toContain('docs/etcd-keys.md');
    allowed = true;
    await clock.advance(5_000);
    expect(codes()).toEqual([]);
    await proof.close();
  });

  it('an older role without the right for what only explains is a remark, and holds nobody', async () => {
    const { clock, client, log, store, proof, codes } = scene();
    let allowed = false;
    denying(client, (key) => !allowed && key.startsWith(keys.deeds));
    proof.start();
    await clock.advance(1_000);
    const put = { kind: 'put', key: keys.deedsOf('db/m1'), value: '1' } as const;
    await expect(store.txn({ compare: [], writes: [put] })).rejects.toMatchObject({ code: 'STORE_DENIED' });
    const [remark] = proof.remarks();
    expect([remark?.code, proof.remarks().length]).toEqual(['STORE_DENIED', 1]);
    expect(remark?.text).toContain(`write ${keys.deeds}`);
    expect(remark?.remedy).toContain('docs/etcd-keys.md');
    expect(log.events()).toContain('store.writes_refused');
    const before = client.applied.txn;
    await clock.advance(60_000);
    expect(client.applied.txn - before).toBeLessThanOrEqual(3 * 6);
    expect([codes(), proof.trouble()]).toEqual([[], null]);
    allowed = true;
    await clock.advance(15_000);
    expect(proof.remarks()).toEqual([]);
    await proof.close();
  });

  it('beside it, what recoveries need is named as ever', async () => {
    const { clock, client, proof, codes } = scene();
    denying(client, (key) => key.startsWith(keys.deeds) || key.startsWith(keys.holds));
    proof.start();
    await clock.advance(1_000);
    expect(codes()).toEqual(['STORE_DENIED']);
    expect(proof.problems()[0]?.text).toContain(`write ${keys.holds}`);
    expect(proof.problems()[0]?.text).not.toContain(keys.deeds);
    expect(proof.trouble()).toContain('STORE_DENIED');
    await proof.close();
  });

  it('says so when writes are never answered while reads are', async () => {
    const { clock, client, proof, codes } = scene();
    proof.start();
    await clock.advance(1_000);
    client.inject({ kind: 'dropRequest', operation: 'txn', times: 1_000 });
    await clock.advance(25_000);
    expect(codes()).toEqual([]);
    await clock.advance(15_000);
    expect(codes()).toEqual(['STORE_NOT_WRITABLE']);
    expect(proof.problems()[0]?.text).toContain('no answer within 1500 ms');
    expect(client.fired.dropRequest).toBeGreaterThan(1);
    client.heal();
    await clock.advance(15_000);
    expect(codes()).toEqual([]);
    await proof.close();
  });
});

describe('what the store refuses', () => {
  it('a lease that has ended is no refusal of the store', async () => {
    const { store } = scene();
    const put = { kind: 'put', key: keys.coordinator('c1'), value: '1', leaseId: '7587800000000000001' } as const;
    await expect(store.txn({ compare: [], writes: [put] })).rejects.toMatchObject({ upstreamCode: 'LEASE_NOT_FOUND' });
    expect(store.refusals).toEqual([]);
  });

  it('a refused read names its prefix, until it is answered', async () => {
    const { client, store } = scene();
    const range = client.range.bind(client);
    client.range = () => Promise.reject(new OperationError('STORE_DENIED', 'permission denied'));
    await expect(store.range(keys.root)).rejects.toThrow();
    expect(store.refusals.map(({ code, text }) => [code, text])).toEqual([
      ['STORE_DENIED', `read ${keys.root}: STORE_DENIED: permission denied`],
    ]);
    client.range = range;
    await store.range(keys.root);
    expect(store.refusals).toEqual([]);
  });

  it('no new lease is granted either, and one that is granted proves that writes work', async () => {
    const { kv, store } = scene();
    kv.refusesWrites = 'STORE_NO_SPACE';
    await expect(store.grantLease(5_000)).rejects.toMatchObject({ code: 'STORE_NO_SPACE' });
    expect(store.refusesAllWrites).toBe(true);
    kv.refusesWrites = null;
    await store.grantLease(5_000);
    expect(store.refusesAllWrites).toBe(false);
  });
});
