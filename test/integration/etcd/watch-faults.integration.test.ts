import { EtcdKvStore, type EtcdKvStoreOptions, WatchCache } from '@understudy/coordinator/testing';
import type { KvEvent } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { Etcd3 } from 'etcd3';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EtcdCluster } from '@understudy/local-cluster';
import { SwallowingProxy } from './swallowing-proxy.ts';

const report = (line: string) => console.log(`  measured: ${line}`);
const EVENT_COUNT = 5000;

describe('watches on real etcd, through a proxy with faults', () => {
  let cluster: EtcdCluster;
  let admin: Etcd3;
  /** Store revision before the 5 000 writes of ~900 bytes. */
  let startRevision = 0;
  let proxy: SwallowingProxy;
  let store: EtcdKvStore;

  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    admin = new Etcd3({ hosts: [...cluster.hosts] });
    startRevision = Number((await admin.kv.range({ key: Buffer.from('x') })).header.revision);
    for (let from = 0; from < EVENT_COUNT; from += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          admin
            .put('/many/k')
            .value(`${from + index}:${'v'.repeat(900)}`)
            .exec(),
        ),
      );
  });

  afterAll(async () => {
    admin.close();
    await cluster.stop();
  });

  const connect = async (overrides: Partial<EtcdKvStoreOptions> = {}) => {
    proxy = await SwallowingProxy.listen(cluster.port());
    const options = { clock: new SystemClock(), random: new SystemRandom(), callTimeoutMs: 500 };
    store = new EtcdKvStore({ ...options, hosts: [proxy.host], ...overrides });
  };

  afterEach(async () => {
    await store.close();
    await proxy.close();
  });

  const follow = (prefix: string, fromRevision: number) => {
    const seen = {
      revisions: [] as number[],
      values: [] as string[],
      disconnects: 0,
      disconnectedAtMs: 0,
      compacted: 0,
      progress: 0,
    };
    const take = (event: KvEvent) => {
      seen.revisions.push(event.kind === 'put' ? event.entry.modRevision : event.modRevision);
      seen.values.push(event.kind === 'put' ? (event.entry.value.split(':')[0] ?? '') : `-${event.key}`);
    };
    const watch = store.watch(prefix, fromRevision, {
      onEvents: (events) => events.forEach(take),
      onCompacted: () => (seen.compacted += 1),
      onProgress: (revision) => (seen.progress = revision),
      onDisconnected: () => {
        seen.disconnects += 1;
        seen.disconnectedAtMs = performance.now();
      },
    });
    return { seen, watch };
  };

  for (const cuts of [[1], [200_000], [1_500_000], [3_000_000], [200_000, 1_500_000, 1_000_000, 300_000]])
    it(`catching up on ${EVENT_COUNT} events, cut after ${cuts.join(', then ')} bytes: none lost, none twice`, async () => {
      await connect();
      proxy.cutAfterBytes = [...cuts];
      const startedAtMs = performance.now();
      const { seen } = follow('/many/', startRevision + 1);
      await until('all events', () => seen.revisions.length >= EVENT_COUNT, 30_000, 5);
      await wait(200);
      const expected = Array.from({ length: EVENT_COUNT }, (_, index) => startRevision + 1 + index);
      expect(seen.revisions).toEqual(expected);
      expect(proxy.cutAfterBytes).toEqual([]);
      expect(seen.disconnects).toBeGreaterThanOrEqual(cuts.length);
      report(
        `${cuts.length} cut(s) during catch-up: 0 lost, 0 twice, ${(performance.now() - startedAtMs).toFixed(0)} ms`,
      );
    });

  it('transactions of many keys are never split by a cut', async () => {
    await connect();
    const from = Number((await admin.kv.range({ key: Buffer.from('x') })).header.revision);
    for (let round = 0; round < 40; round += 1) {
      const puts = Array.from({ length: 50 }, (_, index) => ({
        request_put: { key: Buffer.from(`/txn/${index}`), value: Buffer.from(`${round}:${'v'.repeat(1000)}`) },
      }));
      await admin.kv.txn({ compare: [], success: puts, failure: [] });
    }
    proxy.cutAfterBytes = [300_000, 700_000, 1_000_000];
    const { seen } = follow('/txn/', from + 1);
    await until('2000 events', () => seen.revisions.length >= 2000, 20_000, 5);
    await wait(200);
    expect(seen.revisions).toHaveLength(2000);
    const perRevision = Map.groupBy(seen.revisions, (revision) => revision);
    expect([...perRevision.values()].every((each) => each.length === 50)).toBe(true);
    expect(perRevision.size).toBe(40);
    expect(proxy.cutAfterBytes).toEqual([]);
  });

  it('a silent partition is noticed within 10 s, and what happened meanwhile arrives afterwards', async () => {
    await connect();
    const from = Number((await admin.put('/silent/a').value('0').exec()).header.revision);
    const { seen } = follow('/silent/', from + 1);
    await until('attached', () => seen.progress >= from, 10_000, 5);
    const cutAtMs = performance.now();
    proxy.swallow();
    await wait(200);
    for (const value of ['1', '2', '3']) await admin.put('/silent/a').value(value).exec();
    await until('noticed', () => seen.disconnects > 0, 10_000, 5);
    report(`silent partition noticed by the watch after ${(seen.disconnectedAtMs - cutAtMs).toFixed(0)} ms`);
    expect(seen.disconnectedAtMs - cutAtMs).toBeLessThanOrEqual(10_000);
    expect(seen.values).toEqual([]);
    expect(proxy.swallowedBytes.toServer + proxy.swallowedBytes.toClient).toBeGreaterThan(0);
    proxy.heal();
    await until('the missed events', () => seen.values.length >= 3, 10_000, 5);
    expect(seen.values).toEqual(['1', '2', '3']);
  });

  it('an idle watch on an idle store is not taken for dead', async () => {
    await connect({ watchProgressEveryMs: 200, watchSilenceLimitMs: 1000 });
    const from = Number((await admin.put('/idle/a').value('0').exec()).header.revision);
    const { seen } = follow('/idle/', from + 1);
    await wait(4000);
    expect([seen.disconnects, seen.values.length]).toEqual([0, 0]);
    expect(seen.progress).toBe(from);
  });

  it('history compacted right up to the resume point: nothing is lost and nothing is listed again', async () => {
    await connect();
    const from = Number((await admin.put('/edge/a').value('0').exec()).header.revision);
    await admin.put('/edge/a').value('1').exec();
    await admin.put('/edge/a').value('2').exec();
    await admin.kv.compact({ revision: String(from + 1) });
    const { seen } = follow('/edge/', from + 1);
    await until('both events', () => seen.values.length >= 2, 10_000, 5);
    expect([seen.values, seen.compacted]).toEqual([['1', '2'], 0]);
    expect(seen.disconnects).toBe(1);
  });

  it('resets all the time under constant writes: none lost, none twice', async () => {
    await connect();
    const from = Number((await admin.put('/reset/a').value('start').exec()).header.revision);
    const { seen } = follow('/reset/', from + 1);
    for (let round = 0; round < 300; round += 1) {
      await admin.put('/reset/a').value(String(round)).exec();
      if (round % 20 === 0) proxy.reset();
      await wait(5);
    }
    await until('all events', () => seen.values.length >= 300, 10_000, 5);
    await wait(100);
    expect(seen.values).toEqual(Array.from({ length: 300 }, (_, round) => String(round)));
    expect(proxy.resetCount).toBeGreaterThan(5);
  });

  it('etcd is killed and starts again: the watch resumes, nothing is lost', async () => {
    await connect();
    const from = Number((await admin.put('/kill/a').value('0').exec()).header.revision);
    const { seen } = follow('/kill/', from + 1);
    await until('attached', () => seen.progress >= from, 10_000, 5);
    await admin.put('/kill/a').value('1').exec();
    await cluster.kill(0);
    await until('noticed', () => seen.disconnects > 0, 10_000, 5);
    cluster.launch(0);
    await cluster.healthy(0);
    admin.close();
    admin = new Etcd3({ hosts: [...cluster.hosts] });
    await admin.put('/kill/a').value('2').exec();
    await until('both events', () => seen.values.length >= 2, 10_000, 5);
    expect(seen.values).toEqual(['1', '2']);
  });

  it('a view survives compaction while it was cut off: what vanished is told, nothing stays behind', async () => {
    await connect();
    for (const key of ['a', 'b']) await admin.put(`/view/${key}`).value('1').exec();
    const log = new RecordingLog();
    const options = { clock: new SystemClock(), random: new SystemRandom(), log };
    const view = new WatchCache({ ...options, store, prefix: '/view/', probeEveryMs: 200 });
    view.start();
    await view.ready();
    await until('fresh', () => view.ageMs() < 1000, 10_000, 5);
    proxy.reset({ refuse: true });
    await admin.delete().key('/view/a').exec();
    const last = await admin.put('/view/c').value('1').exec();
    await admin.put('/view/d').value('1').exec();
    await admin.kv.compact({ revision: String(Number(last.header.revision) + 1) });
    await wait(1500);
    expect([...view.entries().keys()].sort()).toEqual(['/view/a', '/view/b']);
    expect(view.ageMs()).toBeGreaterThan(1000);
    const changed = new Set<string>();
    view.onChange((keys) => keys.forEach((key) => changed.add(key)));
    proxy.heal();
    await until('listed again', () => view.get('/view/d') !== undefined, 10_000, 5);
    expect([...view.entries().keys()].sort()).toEqual(['/view/b', '/view/c', '/view/d']);
    expect([...changed].sort()).toEqual(['/view/a', '/view/c', '/view/d']);
    await until('fresh again', () => view.ageMs() < 1000, 10_000, 5);
    expect(view.anomalies).toBe(0);
    expect(proxy.resetCount).toBeGreaterThan(0);
    view.close();
  });

  it('the answers of a call: applied but lost is unknown, refused is unavailable, too late is unknown', async () => {
    await connect();
    const put = { compare: [], writes: [{ kind: 'put', key: '/calls/a', value: '1' } as const] };
    await store.get('/calls/a');
    proxy.swallow('toClient');
    await expect(store.txn(put)).rejects.toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN' });
    expect(proxy.swallowedBytes.toClient).toBeGreaterThan(0);
    expect(await admin.get('/calls/a').string()).toBe('1');
    await expect(store.get('/calls/a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(store.keepAlive('123')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(store.grantLease(5000)).rejects.toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN' });
    proxy.heal();
    proxy.reset({ refuse: true });
    await wait(50);
    const failed = await store.txn(put).catch((error: { code: string }) => error.code);
    expect(['STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN']).toContain(failed);
    proxy.heal();
    await until('healed', () => true, 10_000, 5);
    let back = false;
    for (let attempt = 0; attempt < 40 && !back; attempt += 1) {
      back = await store.get('/calls/a').then(
        () => true,
        () => false,
      );
      if (!back) await wait(50);
    }
    expect(back).toBe(true);
  });
});
