import * as z from 'zod';

/**
 * An undo that was called off had asked EC2 to start the retired instance. While such a call may
 * still land, the leader looks, and stops the instance again (docs/undo.md). Times: wall, ms.
 */
export const LateStartSchema = z.strictObject({
  instanceId: z.string(),
  /** No call lands after this. */
  untilWallMs: z.number(),
  /** It was found running, and a Stop was about to be sent: the last one. Absent: none was. */
  stoppedAtWallMs: z.number().optional(),
  /** It was seen at rest, or was in charge, after that time: nothing is owed any more. */
  settledAtWallMs: z.number().optional(),
});
export type LateStart = z.infer<typeof LateStartSchema>;
