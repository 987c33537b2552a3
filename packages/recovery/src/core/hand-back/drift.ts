import { type HandBackDrift, rawListOf, rawOf, textOf, type Raw } from '@understudy/shared';
import type { InstanceSight } from './instance-sight.ts';

interface DriftingProperty {
  /** Its name in `AWS::EC2::Instance`. */
  readonly property: string;
  /** Its name in `aws_instance`. */
  readonly argument: string;
  /** A change of it replaces the instance, in CloudFormation. */
  readonly replaces: boolean;
  /** Null: it has none, or EC2 does not say. */
  readonly of: (raw: Raw) => unknown;
}

const groupsOf = (raw: Raw): readonly string[] =>
  rawListOf(raw.SecurityGroups)
    .flatMap((one) => textOf(one.GroupId) ?? [])
    .toSorted();

/** CloudFormation takes the name of an instance profile, and EC2 tells its ARN. */
const profileOf = (raw: Raw): string | null => textOf(rawOf(raw.IamInstanceProfile).Arn)?.split('/').at(-1) ?? null;

/**
 * What a successor may have differently, and code may name. A row a property: its two names, and
 * how it is read from EC2's answer (and from the inventory's document, which has the same words).
 */
export const DRIFTING: readonly DriftingProperty[] = [
  { property: 'ImageId', argument: 'ami', replaces: true, of: (raw) => textOf(raw.ImageId) },
  { property: 'InstanceType', argument: 'instance_type', replaces: false, of: (raw) => textOf(raw.InstanceType) },
  {
    ...{ property: 'AvailabilityZone', argument: 'availability_zone', replaces: true },
    of: (raw) => textOf(rawOf(raw.Placement).AvailabilityZone),
  },
  { property: 'SubnetId', argument: 'subnet_id', replaces: true, of: (raw) => textOf(raw.SubnetId) },
  { property: 'PrivateIpAddress', argument: 'private_ip', replaces: true, of: (raw) => textOf(raw.PrivateIpAddress) },
  { property: 'SecurityGroupIds', argument: 'vpc_security_group_ids', replaces: false, of: groupsOf },
  { property: 'KeyName', argument: 'key_name', replaces: true, of: (raw) => textOf(raw.KeyName) },
  { property: 'IamInstanceProfile', argument: 'iam_instance_profile', replaces: false, of: profileOf },
  { property: 'EbsOptimized', argument: 'ebs_optimized', replaces: false, of: (raw) => raw.EbsOptimized ?? null },
  {
    ...{ property: 'SourceDestCheck', argument: 'source_dest_check', replaces: false },
    of: (raw) => raw.SourceDestCheck ?? null,
  },
];

/** Same JSON. Both come from one reader, which orders its lists. */
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What the one has differently from the other, of what code may name. */
export const driftOf = (was: InstanceSight, is: InstanceSight): readonly HandBackDrift[] =>
  DRIFTING.flatMap(({ property, argument, replaces, of }) => {
    const [before, now] = [of(was.raw), of(is.raw)];
    return isSame(before, now) ? [] : [{ property, argument, replaces, was: before, is: now }];
  });
