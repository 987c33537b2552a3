import { type MemberId, memberId } from '@understudy/shared';

/** Who plays. Zones by letter; every member is one instance. */
export interface CastMember {
  readonly member: MemberId;
  readonly group: string;
  readonly name: string;
  readonly zone: 'a' | 'b' | 'c';
  /** Device names of data volumes, with sizes. */
  readonly dataVolumes: readonly { readonly deviceName: string; readonly sizeGiB: number }[];
  readonly elasticIp: boolean;
  /** The data volumes are deleted with an instance that is terminated; otherwise they stay, as the operator's. */
  readonly dataGoesToo: boolean;
}

/** One member, one instance: without data volumes and Elastic IP unless it is given them. */
export function castMember(
  group: string,
  name: string,
  zone: CastMember['zone'],
  more: Partial<Pick<CastMember, 'dataVolumes' | 'elasticIp' | 'dataGoesToo'>> = {},
): CastMember {
  return {
    member: memberId(group, name),
    group,
    name,
    zone,
    dataVolumes: [],
    elasticIp: false,
    dataGoesToo: false,
    ...more,
  };
}

/** Two recovery groups, six members. */
export const CAST: readonly CastMember[] = [
  castMember('orders-db', 'primary', 'a', {
    dataVolumes: [
      { deviceName: '/dev/sdf', sizeGiB: 4 },
      { deviceName: '/dev/sdg', sizeGiB: 2 },
    ],
    elasticIp: true,
  }),
  castMember('orders-db', 'standby', 'b', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }] }),
  castMember('orders-db', 'reports', 'c', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 4 }] }),
  castMember('ci', 'build-master', 'a', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 6 }] }),
  castMember('ci', 'license-server', 'b', { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 3 }], elasticIp: true }),
  castMember('ci', 'broker', 'c'),
];

/** Act 1: dies. Act 2: dies, and the leader with it. Act 3: stopped by its operator. */
export const ROLES = {
  diesFirst: 'orders-db/primary',
  diesSecond: 'ci/license-server',
  stoppedOnPurpose: 'orders-db/reports',
} as const satisfies Record<string, MemberId>;

export const ZONES = ['a', 'b', 'c'] as const;
export const REGION = 'us-east-1';
