import type { Kind } from './kind.ts';
import { byMember, neverEnds, pagedByEc2 } from './listings.ts';

export const volume: Kind = {
  name: 'volume',
  listing: pagedByEc2('DescribeVolumes', 'Volumes'),
  scope: null,
  idOf: byMember('VolumeId'),
  volatile: [],
  hasEnded: neverEnds,
};
