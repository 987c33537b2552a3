import { EtcdKvStore } from '@understudy/coordinator/testing';
import { keyspace, type KvStore, LeaderTerm, monotonicMs, type Term } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { TERM_REMOVAL_CONTRACT } from '@understudy/shared/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { EtcdCluster } from '@understudy/local-cluster';

describe('Term.remove on real etcd', () => {
  const deps = { clock: new SystemClock(), random: new SystemRandom() };
  let cluster: EtcdCluster;
  let store: EtcdKvStore;

  beforeAll(async () => {
    cluster = await EtcdCluster.start();
    store = new EtcdKvStore({ ...deps, hosts: cluster.hosts });
  });

  afterAll(async () => {
    await store.close();
    await cluster.stop();
  });

  const lead =
    (root: string) =>
    async (kv: KvStore): Promise<Term> => {
      const keys = keyspace(root);
      const entry = await kv.get(keys.leader);
      if (!entry) throw new Error('nobody was elected');
      const { signal } = new AbortController();
      const keeper = { leaseId: '1', signal, validUntilMs: monotonicMs(0), remainingMs: () => 8_000 };
      return new LeaderTerm({ deps: { ...deps, store: kv }, keys, coordinatorId: 'c1', keeper, entry });
    };

  for (const [index, { name, run }] of TERM_REMOVAL_CONTRACT.entries()) {
    const root = `/case-${index}/`;
    it(name, () => run({ store, root, lead: lead(root) }));
  }
});
