import { type CloudSnapshot, TAG } from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';

/**
 * Without those that were made for a suspect which was heard again: they are being deleted (S31),
 * and what was read of them may be older than that. Pure.
 */
export function withoutGoing(
  snapshots: readonly CloudSnapshot[],
  { preparations, prepared }: Pick<ClusterRecords, 'preparations' | 'prepared'>,
): readonly CloudSnapshot[] {
  const gone = [...prepared.values()].flatMap(({ record }) => (record.gone ?? []).map(({ opId }) => opId));
  const dropped = [...preparations].flatMap(([opId, { record }]) => (record.dropped ? [opId] : []));
  const going = new Set([...gone, ...dropped]);
  return snapshots.filter(({ tags }) => !going.has(tags[TAG.op] ?? ''));
}
