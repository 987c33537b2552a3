import * as z from 'zod';
import { placed, recordBase } from './record.ts';

/**
 * `journal/<opId>/<step>`. A step is keyed by its name, and by the launch attempt or the item it is
 * done for: `fence`, `launch-2`, `address-<allocationId>`. The recovery room says which steps there
 * are, and reads their meaning. No other room takes an id apart, and a recovery with an unknown
 * step in its journal is not continued. `started` is written before the first effect (with the
 * frozen request), `done` or `failed` after observing.
 */
export const JournalRecordSchema = placed(
  z.strictObject({
    ...recordBase,
    opId: z.string(),
    step: z.string(),
    state: z.enum(['started', 'done', 'failed']),
    term: z.number(),
    startedAtWallMs: z.number(),
    endedAtWallMs: z.number().nullable(),
    /** What is about to be sent, exactly. */
    request: z.record(z.string(), z.unknown()).nullable(),
    /** What was observed. Each step has its own schema in the coordinator. */
    result: z.record(z.string(), z.unknown()).nullable(),
    error: z.strictObject({ code: z.string(), text: z.string() }).nullable(),
  }),
  { area: 'journal', parts: [2], says: ([opId = '', step = '']) => ({ opId, step }) },
);
export type JournalRecord = z.infer<typeof JournalRecordSchema>;
