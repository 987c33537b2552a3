import * as z from 'zod';
import { durationMs } from '../duration-field.ts';

const GROUPS_MAX = 50;
const TARGET_GROUP = /^arn:[\w-]+:elasticloadbalancing:[\w-]+:\d{12}:targetgroup\/[A-Za-z0-9-]+\/[0-9a-f]+$/;

/** Which target groups a member is carried in. Durations in ms. */
export const targetGroupFields = z.strictObject({
  /**
   * ARNs of target groups. `discover`: all of the Region in which the member is registered; each of
   * them is looked at every few minutes, as there is no way to ask for the groups of one instance.
   */
  groups: z.union([z.literal('discover'), z.array(z.string().regex(TARGET_GROUP)).max(GROUPS_MAX)]).default([]),
  /**
   * The replacement has to be healthy in each of them within this time, or the recovery is held.
   * Shorter = told sooner; longer = slow health checks are waited for.
   */
  healthyWithinMs: durationMs(600_000, 5_000, 7_200_000),
});
