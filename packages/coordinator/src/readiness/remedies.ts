import type { BlockerKind } from '@understudy/shared';

/** What a person does about a blocker of this kind; its own text has the names. */
export const REMEDIES: Readonly<Record<BlockerKind, string>> = {
  permission: 'give the role of the coordinators what `understudy iam-policy` prints (docs/iam.md)',
  key: 'enable the key, and let the role of the coordinators use it (docs/iam.md)',
  image: 'name an image that is there in recover.seedImages of the group (docs/reattach.md)',
  capacity: 'name a reservation that has room, or further types and subnets, in recover.placements (docs/placement.md)',
  subnet: 'free addresses of the subnet, or name further subnets in recover.placements (docs/placement.md)',
  place: 'correct recover.placements or recover.places of the group (docs/placement.md)',
  gone: 'make again what the instance names, or take the name off it (docs/replacement.md)',
  agent: 'look at its agent: understudy explain MEMBER, and on its host `understudy doctor agent`',
  paused: 'end the pause when its reason is over: understudy resume',
  held: 'see what holds it and the way out: understudy explain MEMBER',
  'no-plan': 'each problem says what is in the way: understudy plan MEMBER (docs/replacement.md)',
  plan: 'read what it says, and correct the instance or the policy: understudy plan MEMBER (docs/replacement.md)',
};
