import {
  type LocalCluster,
  localMember,
  makeClusterDir,
  ProcessGroup,
  removeRunDir,
  startLocalCluster,
} from '@understudy/local-cluster';
import { SystemClock, SystemRandom } from '@understudy/shared/node';

const MEMBERS = [
  localMember('orders-db', 'primary', 'a', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }], elasticIp: true }),
  localMember('orders-db', 'standby', 'b', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }] }),
  localMember('orders-db', 'reports', 'c'),
  localMember('ci', 'build-master', 'a'),
  localMember('ci', 'license-server', 'b', { elasticIp: true }),
  localMember('ci', 'broker', 'c'),
];

export interface RealCluster {
  readonly cluster: LocalCluster;
  close(): Promise<void>;
}

/** etcd, cloud-sim, three coordinators and six agents, as processes. */
export async function startRealCluster(): Promise<RealCluster> {
  const clock = new SystemClock();
  const dir = makeClusterDir('demo', clock.wallMs());
  const group = new ProcessGroup({ clock, logDir: `${dir}/logs` });
  // Slow enough to see the steps of a recovery, fast enough to wait for them.
  const setting = {
    ...{ members: MEMBERS, speed: 6, cloud: {}, environment: {} },
    coordinator: { policy: { guard: { cooldownMs: 1_000 } } },
  };
  const close = async (): Promise<void> => {
    await group.stopAll();
    removeRunDir(dir);
  };
  try {
    const options = { clock, random: new SystemRandom(), setting, signal: new AbortController().signal };
    return { cluster: await startLocalCluster({ ...options, say: () => undefined }, dir, group), close };
  } catch (error) {
    await close();
    throw error;
  }
}
