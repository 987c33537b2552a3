import type { MemberId, OperatorRequestRecord, PendingRequest } from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';

type Requests = Pick<ClusterRecords, 'requests'>;

const shown = ({ member, kind, opId, by, why, atWallMs, loss, leaveOpen }: OperatorRequestRecord): PendingRequest => ({
  ...{ member, kind, opId, by, why, atWallMs, loss, leaveOpen },
});

/** What an operator asked for this member and is not carried out yet. Null: nothing. */
export function pendingRequest({ requests }: Requests, member: MemberId): PendingRequest | null {
  const stored = requests.get(member);
  return stored ? shown(stored.record) : null;
}

/** All pending requests, the oldest first. */
export const pendingRequests = ({ requests }: Requests): PendingRequest[] =>
  [...requests.values()].map(({ record }) => shown(record)).sort((a, b) => a.atWallMs - b.atWallMs);
