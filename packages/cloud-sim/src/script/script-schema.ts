import { duration } from '@understudy/shared';
import * as z from 'zod';
import { DEED_SCHEMAS } from '../deeds/index.ts';

const STEPS_MAX = 1_000;

const momentMs = duration(
  z
    .number()
    .min(0)
    .max(30 * 86_400_000),
);

/** A call after which a step is due. */
const AfterSchema = z.strictObject({
  action: z.string().min(1),
  /** Only a call with this outcome counts: `ok`, `lost` or EC2's error code. Absent: any. */
  outcome: z.string().min(1).exactOptional(),
  /** An id that must appear anywhere in the request. */
  resourceId: z.string().exactOptional(),
  /** Counts from 1. */
  nth: z.number().int().min(1).default(1),
});

const StepSchema = z
  .strictObject({
    /** Time since the start of the script, at speed 1. */
    at: momentMs.exactOptional(),
    after: AfterSchema.exactOptional(),
    /** Waits this long more, at speed 1. */
    delay: momentMs.default(0),
    do: z.union(DEED_SCHEMAS),
  })
  .refine(({ at, after }) => (at === undefined) !== (after === undefined), {
    error: 'a step has either a moment (at) or a call (after)',
  });

/** A script: what goes wrong in the Region, and when. */
export const ScriptSchema = z.strictObject({
  name: z.string().min(1).max(200),
  steps: z.array(StepSchema).min(1).max(STEPS_MAX),
});

export type Script = z.infer<typeof ScriptSchema>;
/** As it is written: what has a default may be left out. */
export type WrittenScript = z.input<typeof ScriptSchema>;
export type ScriptStep = Script['steps'][number];
