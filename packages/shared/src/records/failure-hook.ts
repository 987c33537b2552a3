import * as z from 'zod';

/** A hook `on-failure` of a recovery that has ended, and what came of it. */
export const FailureHookSchema = z.strictObject({
  /** As in the policy that the recovery followed. */
  name: z.string(),
  program: z.string().optional(),
  webhook: z.string().optional(),
  command: z.string().optional(),
  timeoutMs: z.number(),
  /** Nobody has begun it before. Absent: before the recovery ended. */
  begunAtWallMs: z.number().optional(),
  /** How it ended. Absent: it is to be run, or runs. */
  ended: z.strictObject({ passed: z.boolean(), text: z.string(), atWallMs: z.number() }).optional(),
});
export type FailureHook = z.infer<typeof FailureHookSchema>;
