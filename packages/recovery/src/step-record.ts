import * as z from 'zod';

/**
 * What a step keeps in its journal record. `request`: chosen once and frozen before the first
 * effect. `noted`: what was observed on the way and must survive a change of leader. `result`: how
 * it ended.
 */
export interface StepRecord {
  /** First part of its key in the journal; no dash is in it. */
  readonly name: string;
  /** How often it is done: once in a recovery, per launch attempt, or per item of the plan. */
  readonly per: 'recovery' | 'attempt' | 'item';
  readonly request: z.ZodType;
  readonly noted: z.ZodType;
  readonly result: z.ZodType;
}

export type RequestOf<R extends StepRecord> = z.infer<R['request']>;
export type NotedOf<R extends StepRecord> = z.infer<R['noted']>;
export type ResultOf<R extends StepRecord> = z.infer<R['result']>;

/** The shape of what a step does not keep. */
export const NOTHING_KEPT = z.strictObject({});

/** `result` of a record that is still `started`. */
export const progressSchema = z.strictObject({
  /** How often each call of the step was about to be sent, by any leader. */
  sends: z.record(z.string(), z.number()),
  noted: z.unknown().optional(),
});
export type Sends = Readonly<Record<string, number>>;
