import { EtcdCluster } from '@understudy/local-cluster';
import { afterEach, beforeEach } from 'vitest';
import { CoordinatorCluster } from './coordinator-cluster.ts';

/** What there is while a test runs. */
export interface ClusterNow {
  readonly cluster: CoordinatorCluster;
  /** @throws Error when the file asked for none. */
  readonly etcd: EtcdCluster;
}

function present<T>(part: T | null): T {
  if (part === null) throw new Error('there is none now');
  return part;
}

/** A cluster and an etcd for each test of a file or block, and their end, however the test went. */
export function clusterPerTest(
  options: { readonly cloud?: boolean; readonly etcd?: boolean; readonly etcdArgs?: readonly string[] } = {},
): ClusterNow {
  let cluster: CoordinatorCluster | null = null;
  let etcd: EtcdCluster | null = null;
  beforeEach(async () => {
    cluster = new CoordinatorCluster();
    if (options.etcd !== false) etcd = await EtcdCluster.start({ args: options.etcdArgs ?? [] });
    if (options.cloud === true) await cluster.startCloud();
  });
  afterEach(async () => {
    await cluster?.close();
    await etcd?.stop();
    cluster = etcd = null;
  });
  return {
    get cluster() {
      return present(cluster);
    },
    get etcd() {
      return present(etcd);
    },
  };
}
