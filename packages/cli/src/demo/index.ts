/** The local cluster, for whoever runs one besides the demo: the soak in test/soak. */
export { tableText } from '../views/format.ts';
export { coordinatorClient, type CoordinatorClient } from '../coordinator-client.ts';
export { type LocalMember, localMember, ZONES } from './local-member.ts';
export { DEMO_TIMES } from './configuration.ts';
export { ProcessGroup, type RunningProcess } from './processes.ts';
export { readSnapshot, type ClusterSnapshot, SnapshotPoller } from './cluster-snapshot.ts';
export {
  startLocalCluster,
  makeClusterDir,
  removeClusterDir,
  type LocalCluster,
  type LocalClusterSetting,
} from './local-cluster.ts';
