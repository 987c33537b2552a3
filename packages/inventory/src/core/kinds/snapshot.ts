import type { Kind } from './kind.ts';
import { byMember, neverEnds, pagedByEc2 } from './listings.ts';

/** Only those of our own account: everybody's public ones are listed otherwise. */
export const snapshot: Kind = {
  name: 'snapshot',
  listing: pagedByEc2('DescribeSnapshots', 'Snapshots', { OwnerIds: ['self'] }),
  scope: null,
  idOf: byMember('SnapshotId'),
  volatile: [['Progress']],
  hasEnded: neverEnds,
};
