import * as z from 'zod';
import { PlanForecastSchema, PlannedStepViewSchema } from './plan.ts';

/** What an undo would do if it were asked for now, or why it would be refused (`docs/undo.md`). */
export const UndoPreviewViewSchema = z.object({
  member: z.string(),
  /** The recovery that would be begun. */
  opId: z.string(),
  /** The command, given like this, would begin it. */
  wouldBegin: z.boolean(),
  /** Why it would not. Empty: it would. */
  code: z.string(),
  text: z.string(),
  /** Null: nothing can be put back, whatever is accepted. */
  undoes: z
    .object({
      opId: z.string(),
      /** It would be stopped, and kept. */
      presentInstanceId: z.string(),
      /** It would serve again. */
      retainedInstanceId: z.string(),
      servedSinceWallMs: z.number(),
      /** The time of writes that would be lost, as of now, ms. */
      lostMs: z.number(),
      /** It is refused from then on. Null: the instance is kept for ever. */
      untilWallMs: z.number().nullable(),
    })
    .nullable(),
  losses: z.array(z.object({ code: z.string(), text: z.string() })),
  /** In the order of the plan, each with its calls. */
  steps: z.array(PlannedStepViewSchema),
  forecast: PlanForecastSchema.nullable(),
});
export type UndoPreviewView = z.infer<typeof UndoPreviewViewSchema>;
