import { type CloudFilters, OperationError, type Raw, textOf } from '@understudy/shared';
import { listIn } from './ec2-caller.ts';

/**
 * For each list: the filter that names its items by id, and the member of a row that has the id.
 * Other lists are not asked for by id.
 */
const IDS: Readonly<Record<string, readonly [filter: string, member: string]>> = {
  Instances: ['instance-id', 'InstanceId'],
  InstanceStatuses: ['instance-id', 'InstanceId'],
  Volumes: ['volume-id', 'VolumeId'],
  VolumeStatuses: ['volume-id', 'VolumeId'],
  Snapshots: ['snapshot-id', 'SnapshotId'],
  Images: ['image-id', 'ImageId'],
  NetworkInterfaces: ['network-interface-id', 'NetworkInterfaceId'],
  Addresses: ['allocation-id', 'AllocationId'],
  Subnets: ['subnet-id', 'SubnetId'],
};

/**
 * The list of an answer, compared with the ids that were asked for. A row about another id belongs
 * to another request (a cache in between that keeps answers to POST), and what such an answer
 * leaves out is not gone (S18). Rows without any id are left to the caller that maps them.
 * @throws CLOUD_UNAVAILABLE
 */
export function listAsked(action: string, answer: Raw, member: string, filters: CloudFilters): readonly Raw[] {
  const rows = listIn(action, answer, member);
  const isNested = member === 'Reservations';
  const [filter = '', id = ''] = IDS[isNested ? 'Instances' : member] ?? [];
  const asked = filters[filter];
  if (asked === undefined) return rows;
  const named = isNested ? rows.flatMap((row) => listIn(action, row, 'Instances')) : rows;
  const stranger = named.map((row) => textOf(row[id])).find((one) => one !== null && !asked.includes(one));
  if (stranger === undefined) return rows;
  const text = `${action}: the answer is about ${stranger}, which was not asked for: it is the answer to another request`;
  throw new OperationError('CLOUD_UNAVAILABLE', text);
}
