import { readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { FaultListSchema } from './faults/fault.ts';
import { INVARIANT_IDS, type InvariantId } from './invariants/invariant.ts';
import type { RunSpec } from './simulation.ts';

/**
 * A run that once broke an invariant, kept with its (shrunk) list of faults so that it never does
 * again.
 */
export const RegressionSchema = z.strictObject({
  /** What was wrong, in a sentence. */
  story: z.string().min(10),
  broke: z.enum(INVARIANT_IDS),
  seed: z.number().int(),
  days: z.number().positive(),
  members: z.number().int().min(1),
  coordinators: z.number().int().min(1),
  serveLease: z.boolean().default(false),
  probes: z.boolean().default(false),
  ladder: z.boolean().default(false),
  encrypted: z.boolean().default(false),
  identities: z.boolean().default(false),
  faults: z.array(FaultListSchema),
});
export type Regression = z.infer<typeof RegressionSchema>;

export const readRegression = (file: string): Regression =>
  RegressionSchema.parse(JSON.parse(readFileSync(file, 'utf8')));

export const specOf = ({
  seed,
  days,
  members,
  coordinators,
  serveLease,
  probes,
  ladder,
  encrypted,
  identities,
  faults,
}: Regression): RunSpec => ({
  seed,
  days,
  members,
  coordinators,
  serveLease,
  probes,
  ladder,
  encrypted,
  identities,
  faults,
});

export function writeRegression(file: string, broke: InvariantId, story: string, spec: RunSpec): void {
  const { faults, ...shape } = spec;
  const regression = RegressionSchema.parse({ story, broke, ...shape, faults: faults ?? [] });
  writeFileSync(file, `${JSON.stringify(regression, null, 2)}\n`);
}
