import * as z from 'zod';
import { duration } from '../duration-field.ts';

const WEEK_MS = 604_800_000;

/**
 * What a failure of a member of the group may cost at most (`docs/readiness.md`). Nothing is done
 * otherwise because of it: what is predicted to miss one is told beforehand. Durations in ms.
 */
export const objectivesFields = z.strictObject({
  /**
   * Recovery time objective: from the failure until the member serves again, as it goes on a bad
   * day. Shorter = more members are told to miss it. Absent: none.
   */
  rtoMs: duration(z.number().int().min(1_000).max(WEEK_MS)).optional(),
  /**
   * Recovery point objective: what was written in so long a time may be lost, also where the disks
   * of the member are lost with it. 0 = nothing. Absent: none.
   */
  rpoMs: duration(z.number().int().min(0).max(WEEK_MS)).optional(),
});
export type Objectives = z.infer<typeof objectivesFields>;
