import { localMember, type LocalMember } from '@understudy/local-cluster';
import type { MemberId } from '@understudy/shared';

/** Two recovery groups, six members. */
export const CAST: readonly LocalMember[] = [
  localMember('orders-db', 'primary', 'a', {
    dataVolumes: [
      { deviceName: '/dev/sdf', sizeGiB: 4 },
      { deviceName: '/dev/sdg', sizeGiB: 2 },
    ],
    elasticIp: true,
  }),
  localMember('orders-db', 'standby', 'b', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }] }),
  localMember('orders-db', 'reports', 'c', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }] }),
  localMember('ci', 'build-master', 'a', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 6 }] }),
  localMember('ci', 'license-server', 'b', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 3 }], elasticIp: true }),
  localMember('ci', 'broker', 'c'),
];

/** Act 1: dies. Act 2: dies, and the leader with it. Act 3: stopped by its operator. */
export const ROLES = {
  diesFirst: 'orders-db/primary',
  diesSecond: 'ci/license-server',
  stoppedOnPurpose: 'orders-db/reports',
} as const satisfies Record<string, MemberId>;
