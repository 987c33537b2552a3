import * as z from 'zod';
import { MemberIdSchema, ofMember, placed, recordBase } from './record.ts';

/**
 * A changing call to EC2 that somebody made, as CloudTrail tells it (docs/events.md). A claim: it
 * explains, and nothing rests on it.
 */
export const DeedSchema = z.strictObject({
  /** `StopInstances` … */
  action: z.string(),
  /** The ARN of who called, or the service that acted by itself. */
  by: z.string(),
  atWallMs: z.number(),
  requestId: z.string(),
  eventId: z.string(),
  /** Its client says that it is a coordinator. */
  isOurs: z.boolean(),
});
export type Deed = z.infer<typeof DeedSchema>;

/** A deed that waits for the history it may explain. */
export const KeptDeedSchema = DeedSchema.extend({
  /** The instance that it was done to. */
  instanceId: z.string(),
  /** When a leader wrote it down. It is dropped by this, and not by what it says of itself. */
  keptAtWallMs: z.number(),
});
export type KeptDeed = z.infer<typeof KeptDeedSchema>;

/** A record with more cannot be read. */
export const DEEDS_MAX = 100;

/**
 * `deeds/<group>/<member>`: what CloudTrail tells of instances of a member before there is a
 * history to put it into, so that a next leader has it, too. Claims: they explain, and decide
 * nothing. A few of each instance; gone once they stand in a history, or can be in none.
 */
export const DeedsRecordSchema = placed(
  z.strictObject({ ...recordBase, member: MemberIdSchema, kept: z.array(KeptDeedSchema).max(DEEDS_MAX) }),
  { area: 'deeds', parts: [2], says: ofMember },
);
export type DeedsRecord = z.infer<typeof DeedsRecordSchema>;
