import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { SIDES } from './episode.ts';
import { INVARIANTS, type Step } from './step.ts';

export const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'fuzz');

const StepSchema = z.union([
  z.strictObject({
    atMs: z.number(),
    from: z.strictObject({ address: z.string(), port: z.number() }),
    hex: z.string().regex(/^(?:[0-9a-f]{2})*$/),
    what: z.string(),
  }),
  z.strictObject({ atMs: z.number() }),
]);

/** Datagrams that once broke something, kept so that they never do again. */
export const FixtureSchema = z.strictObject({
  /** What was wrong, in a sentence. */
  story: z.string().min(10),
  /** The planted bug with which it still breaks. Absent where the bug was a real one. */
  planted: z.string().optional(),
  broke: z.enum(INVARIANTS),
  side: z.enum(SIDES),
  /** Nonce of the process under fire. Challenges follow from it. */
  nonce: z.number().int(),
  steps: z.array(StepSchema).min(1),
});
export type Fixture = z.infer<typeof FixtureSchema>;

export const stepsOf = ({ steps }: Fixture): readonly Step[] =>
  steps.map((step) => {
    if (!('hex' in step)) return { kind: 'time', atMs: step.atMs };
    const { atMs, from, hex, what } = step;
    return { kind: 'datagram', atMs, from, bytes: Uint8Array.from(Buffer.from(hex, 'hex')), what };
  });

export function writeFixture(file: string, fixture: Omit<Fixture, 'steps'>, steps: readonly Step[]): void {
  const written = steps.map((step) => {
    if (step.kind === 'time') return { atMs: step.atMs };
    const { atMs, from, bytes, what } = step;
    return { atMs, from, hex: Buffer.from(bytes).toString('hex'), what };
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(FixtureSchema.parse({ ...fixture, steps: written }), null, 2)}\n`);
}

export const readFixture = (file: string): Fixture => FixtureSchema.parse(JSON.parse(readFileSync(file, 'utf8')));

/** Name and content of every kept fixture. */
export const keptFixtures = (): readonly (readonly [string, Fixture])[] =>
  readdirSync(FIXTURES)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => [name, readFixture(join(FIXTURES, name))]);
