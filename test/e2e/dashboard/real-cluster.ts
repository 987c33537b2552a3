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

const QUEUE = 'events';
const TOPIC = 'pager';
/** As cloud-sim names it, which stands in the place of every service. */
const ACCOUNT = '123456789012';

export interface RealCluster {
  readonly cluster: LocalCluster;
  /** An event comes to the coordinators. */
  tell(event: object): Promise<void>;
  /** Nobody may do this from now on: `sns:Publish` … */
  deny(actions: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** What the admin API of cloud-sim does for us. @throws Error with its answer */
async function perform(cloudUrl: string, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${cloudUrl}/_sim${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`cloud-sim ${path}: ${answer.status} ${await answer.text()}`);
}

/** etcd, cloud-sim, three coordinators and six agents, as processes. */
export async function startRealCluster(): Promise<RealCluster> {
  const clock = new SystemClock();
  const dir = makeClusterDir('demo', clock.wallMs());
  const group = new ProcessGroup({ clock, logDir: `${dir}/logs` });
  // Slow enough to see the steps of a recovery, fast enough to wait for them.
  const setting = {
    ...{ members: MEMBERS, speed: 6, cloud: {}, environment: {} },
    coordinator: {
      policy: { guard: { cooldownMs: 1_000 } },
      events: { queueUrl: `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/${QUEUE}` },
      notify: { topics: [{ name: TOPIC, arn: `arn:aws:sns:us-east-1:${ACCOUNT}:${TOPIC}` }] },
    },
  };
  const close = async (): Promise<void> => {
    await group.stopAll();
    removeRunDir(dir);
  };
  try {
    const options = { clock, random: new SystemRandom(), setting, signal: new AbortController().signal };
    const cluster = await startLocalCluster({ ...options, say: () => undefined }, dir, group);
    const { cloudUrl } = cluster;
    await perform(cloudUrl, '/sqs/queues', { name: QUEUE });
    await perform(cloudUrl, '/sns/topics', { name: TOPIC });
    return {
      ...{ cluster, close },
      tell: (event) => perform(cloudUrl, '/sqs/messages', { name: QUEUE, body: JSON.stringify(event) }),
      deny: (actions) => perform(cloudUrl, '/denied-actions', { actions }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
