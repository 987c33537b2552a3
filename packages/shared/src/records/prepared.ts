import * as z from 'zod';
import { placed, recordBase } from './record.ts';

/**
 * `prepared/<group>`: when preparations of a group were begun, the newest last, and which were
 * dropped and have gone.
 */
export const PreparedRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    group: z.string(),
    begunAtWallMs: z.array(z.number()),
    /**
     * Names that no recovery has, nor will have: whatever carries one has landed late, and is
     * nobody's. The newest last, 500 of 30 days. Absent: none.
     */
    gone: z.array(z.strictObject({ opId: z.string(), atWallMs: z.number() })).optional(),
    /**
     * The most that each can cost, by the prices of the policy as it was begun; of 24 hours.
     * Absent: none was begun under a limit in money.
     */
    costs: z.array(z.strictObject({ atWallMs: z.number(), most: z.number() })).optional(),
  }),
  { area: 'prepared', parts: [1], says: ([group = '']) => ({ group }) },
);
export type PreparedRecord = z.infer<typeof PreparedRecordSchema>;
