import * as z from 'zod';

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
