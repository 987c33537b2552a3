import { CARRYING_BUGS } from './bugs-in-carrying.ts';
import { DECIDING_BUGS } from './bugs-in-deciding.ts';
import { ENROLLING_BUGS } from './bugs-in-enrolling.ts';
import { EVENT_BUGS } from './bugs-in-hearing-events.ts';
import { ENDING_BUGS } from './bugs-in-ending.ts';
import { IDENTITY_BUGS } from './bugs-in-identities.ts';
import { LEASE_BUGS } from './bugs-in-leases.ts';
import { LEADING_BUGS } from './bugs-in-leading.ts';
import { DISK_BUGS } from './bugs-in-moving-disks.ts';
import { HISTORY_BUGS } from './bugs-in-keeping-history.ts';
import { LADDER_BUGS } from './bugs-on-the-ladder.ts';
import { PREPARING_BUGS } from './bugs-in-preparing.ts';
import { RECOVERING_BUGS } from './bugs-in-recovering.ts';
import { SCRIPT_BUGS } from './bugs-in-scripts.ts';
import type { PlantedBug } from './planted-bug.ts';

/** A checker that stays green with any of these is broken. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...LEADING_BUGS,
  ...DECIDING_BUGS,
  ...RECOVERING_BUGS,
  ...DISK_BUGS,
  ...LADDER_BUGS,
  ...LEASE_BUGS,
  ...IDENTITY_BUGS,
  ...CARRYING_BUGS,
  ...PREPARING_BUGS,
  ...EVENT_BUGS,
  ...ENDING_BUGS,
  ...ENROLLING_BUGS,
  ...HISTORY_BUGS,
  ...SCRIPT_BUGS,
];
