import { type MemberId, memberId } from '@understudy/shared';

/** A member of the local cluster: one instance, its zone by letter. */
export interface LocalMember {
  readonly member: MemberId;
  readonly group: string;
  readonly name: string;
  readonly zone: 'a' | 'b' | 'c';
  /** Device names of data volumes, with sizes. */
  readonly dataVolumes: readonly { readonly deviceName: string; readonly sizeGiB: number }[];
  readonly elasticIp: boolean;
  /**
   * The data volumes are deleted with an instance that is terminated; otherwise they stay, as the
   * operator's.
   */
  readonly dataGoesToo: boolean;
}

/** One member, one instance: without data volumes and Elastic IP unless it is given them. */
export function localMember(
  group: string,
  name: string,
  zone: LocalMember['zone'],
  more: Partial<Pick<LocalMember, 'dataVolumes' | 'elasticIp' | 'dataGoesToo'>> = {},
): LocalMember {
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

export const ZONES = ['a', 'b', 'c'] as const;
export const REGION = 'us-east-1';
