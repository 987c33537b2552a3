import * as z from 'zod';
import { INVARIANT_IDS } from './invariants/invariant.ts';

/** One finished run, as a worker of the night tells it. */
export const NightMessageSchema = z.strictObject({
  seed: z.number(),
  simulatedMs: z.number(),
  cpuMs: z.number(),
  recoveries: z.number(),
  faults: z.number(),
  violations: z.array(z.strictObject({ invariant: z.enum(INVARIANT_IDS), atMs: z.number(), text: z.string() })),
  /** What became of recoveries and disks → times. */
  did: z.record(z.string(), z.number()),
  /** `kind stage` → times. */
  cells: z.record(z.string(), z.number()),
});
export type NightRun = z.infer<typeof NightMessageSchema>;
