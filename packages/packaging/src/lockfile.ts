import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';

const LockfileSchema = z.object({
  packages: z.record(z.string(), z.object({ resolution: z.object({ integrity: z.string() }) })),
});

/** `name@version` → the integrity (`sha512-…`) of its archive, as the lockfile has it. */
export type Integrities = ReadonlyMap<string, string>;

export function readIntegrities(root: string): Integrities {
  const { packages } = LockfileSchema.parse(parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')));
  return new Map(Object.entries(packages).map(([name, { resolution }]) => [name, resolution.integrity]));
}
