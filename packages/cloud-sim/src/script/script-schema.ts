import { duration } from '@understudy/shared';
import * as z from 'zod';
import { FaultSchema } from '../http/fault-schema.ts';
import { ZoneSchema } from '../http/zone-change.ts';

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

/**
 * The instance that a step is about: by its id, or whatever has all these tags in the moment of the
 * step, the newest that is not terminated.
 */
const InstanceSchema = z.union([
  z.strictObject({ instanceId: z.string().min(1) }),
  z.strictObject({ tags: z.record(z.string(), z.string()) }),
]);

const DoSchema = z.union([
  z.strictObject({ fault: FaultSchema }),
  z.strictObject({ clearFault: z.string().min(1) }),
  z.strictObject({ zone: z.strictObject({ az: z.string(), change: ZoneSchema }) }),
  z.strictObject({
    capacity: z.strictObject({
      az: z.string(),
      instanceType: z.string(),
      left: z.number().int().min(0).nullable(),
    }),
  }),
  z.strictObject({ quotas: z.record(z.string(), z.number().int().min(0)) }),
  z.strictObject({ crash: InstanceSchema }),
  z.strictObject({ failHost: InstanceSchema, recoverAfterMs: momentMs.nullable().default(null) }),
  z.strictObject({ shutDown: InstanceSchema }),
  z.strictObject({ takeDown: InstanceSchema, code: z.string(), how: z.enum(['stop', 'terminate']) }),
  z.strictObject({
    checks: InstanceSchema,
    failed: z.array(z.enum(['system', 'instance', 'attached-ebs'])).max(3),
  }),
  z.strictObject({ forgeEvent: z.record(z.string(), z.unknown()) }),
  z.strictObject({ holdBackIo: z.strictObject({ volumeId: z.string() }) }),
]);

const StepSchema = z
  .strictObject({
    /** Time since the start of the script, at speed 1. */
    at: momentMs.exactOptional(),
    after: AfterSchema.exactOptional(),
    /** Waits this long more, at speed 1. */
    delay: momentMs.default(0),
    do: DoSchema,
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
export type ScriptDeed = ScriptStep['do'];
export type ScriptInstance = z.infer<typeof InstanceSchema>;
