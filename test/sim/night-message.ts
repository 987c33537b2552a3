import * as z from 'zod';
import { INVARIANT_IDS } from './invariants/invariant.ts';

/** Every so manieth cluster counts on serve leases. */
const SERVE_LEASE_EVERY = 3;
/** In every so manieth cluster the very disks of a member go to its replacement. */
const REATTACH_EVERY = 4;

/** What the cluster of a seed of the night is like. */
export const nightShape = (seed: number) => ({
  ...{ seed, coordinators: 3, serveLease: seed % SERVE_LEASE_EVERY === 0 },
  ...(seed % REATTACH_EVERY === 1 && { strategy: 'reattach' as const }),
});

/** One finished run, as a worker of the night tells it. */
export const NightMessageSchema = z.strictObject({
  seed: z.number(),
  simulatedMs: z.number(),
  cpuMs: z.number(),
  recoveries: z.number(),
  faults: z.number(),
  violations: z.array(z.strictObject({ invariant: z.enum(INVARIANT_IDS), atMs: z.number(), text: z.string() })),
  /** `kind stage` → times. */
  cells: z.record(z.string(), z.number()),
});
export type NightRun = z.infer<typeof NightMessageSchema>;
