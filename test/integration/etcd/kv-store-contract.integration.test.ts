import { EtcdKvStore } from '@understudy/coordinator/testing';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { KV_STORE_CONTRACT } from '@understudy/shared/testing';
import { Etcd3 } from 'etcd3';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { EtcdCluster } from '@understudy/local-cluster';

describe('EtcdKvStore keeps the KvStore contract on real etcd', () => {
  let cluster: EtcdCluster;
  let store: EtcdKvStore;
  let other: EtcdKvStore;
  let admin: Etcd3;

  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    const options = {
      clock: new SystemClock(),
      random: new SystemRandom(),
      hosts: cluster.hosts,
      watchProgressEveryMs: 200,
    };
    store = new EtcdKvStore(options);
    other = new EtcdKvStore(options);
    admin = new Etcd3({ hosts: [...cluster.hosts] });
  });

  afterAll(async () => {
    await store.close();
    await other.close();
    admin.close();
    await cluster.stop();
  });

  for (const [index, { name, run }] of KV_STORE_CONTRACT.entries()) {
    it(name, () =>
      run({
        store,
        other,
        prefix: `/case-${index}/`,
        pass: (durationMs) => wait(durationMs),
        until: async (condition, what) => void (await until(what, condition, 10_000, 5)),
        compact: async (revision) => void (await admin.kv.compact({ revision: String(revision) })),
      }),
    );
  }
});
