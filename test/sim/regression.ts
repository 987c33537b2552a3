import { readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { FaultListSchema } from './faults/fault.ts';
import { EVENTS, PLACES, PREPARED, WAYS } from './cluster/world.ts';
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
  reattach: z.boolean().default(false),
  way: z.enum(WAYS).optional(),
  shared: z.boolean().optional(),
  places: z.enum(PLACES).nullable().optional(),
  prepare: z.enum(PREPARED).optional(),
  makes: z.boolean().default(false),
  events: z.enum(EVENTS).optional(),
  follows: z.boolean().default(false),
  enrols: z.boolean().default(false),
  inventory: z.boolean().default(false),
  commands: z.boolean().default(false),
  identities: z.boolean().default(false),
  faults: z.array(FaultListSchema),
});
export type Regression = z.infer<typeof RegressionSchema>;

export const readRegression = (file: string): Regression =>
  RegressionSchema.parse(JSON.parse(readFileSync(file, 'utf8')));

/** What a kept run does not say is left out, because `undefined` is something else. */
export function specOf({
  story: _story,
  broke: _broke,
  way,
  shared,
  places,
  prepare,
  events,
  ...shape
}: Regression): RunSpec {
  return {
    ...shape,
    ...(way !== undefined && { way }),
    ...(shared !== undefined && { shared }),
    ...(places !== undefined && { places }),
    ...(prepare !== undefined && { prepare }),
    ...(events !== undefined && { events }),
  };
}

export function writeRegression(file: string, broke: InvariantId, story: string, spec: RunSpec): void {
  const { faults, ...shape } = spec;
  const regression = RegressionSchema.parse({ story, broke, ...shape, faults: faults ?? [] });
  writeFileSync(file, `${JSON.stringify(regression, null, 2)}\n`);
}
