import { type MemberId, memberId } from '@understudy/shared';

/** Who plays in the demo. Zones by letter; every member is one instance. */
export interface CastMember {
  readonly member: MemberId;
  readonly group: string;
  readonly name: string;
  readonly zone: 'a' | 'b' | 'c';
  /** Device names of data volumes, with sizes. */
  readonly dataVolumes: readonly { readonly deviceName: string; readonly sizeGiB: number }[];
  readonly elasticIp: boolean;
}

function cast(
  group: string,
  name: string,
  zone: CastMember['zone'],
  more: { dataVolumes?: CastMember['dataVolumes']; elasticIp?: boolean } = {},
): CastMember {
  return {
    member: memberId(group, name),
    group,
    name,
    zone,
    dataVolumes: more.dataVolumes ?? [],
    elasticIp: more.elasticIp ?? false,
  };
}

/** Two recovery groups, six members. */
export const CAST: readonly CastMember[] = [
  cast('orders-db', 'primary', 'a', {
    dataVolumes: [
      { deviceName: '/dev/sdf', sizeGiB: 4 },
      { deviceName: '/dev/sdg', sizeGiB: 2 },
    ],
    elasticIp: true,
  }),
  cast('orders-db', 'standby', 'b', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }] }),
  cast('orders-db', 'reports', 'c', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }] }),
  cast('ci', 'build-master', 'a', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 6 }] }),
  cast('ci', 'license-server', 'b', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 3 }], elasticIp: true }),
  cast('ci', 'broker', 'c'),
];

/** Act 1: dies. Act 2: dies, and the leader with it. Act 3: stopped by its operator. */
export const ROLES = {
  diesFirst: 'orders-db/primary',
  diesSecond: 'ci/license-server',
  stoppedOnPurpose: 'orders-db/reports',
} as const satisfies Record<string, MemberId>;

export const ZONES = ['a', 'b', 'c'] as const;
export const REGION = 'us-east-1';
