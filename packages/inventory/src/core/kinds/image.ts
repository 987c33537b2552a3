import type { Kind } from './kind.ts';
import { byMember, neverEnds, pagedByEc2 } from './listings.ts';

/** Only those of our own account. */
export const image: Kind = {
  name: 'image',
  listing: pagedByEc2('DescribeImages', 'Images', {
    ...{ Owners: ['self'], IncludeDeprecated: true, IncludeDisabled: true },
  }),
  scope: null,
  idOf: byMember('ImageId'),
  volatile: [['LastLaunchedTime']],
  hasEnded: neverEnds,
};
