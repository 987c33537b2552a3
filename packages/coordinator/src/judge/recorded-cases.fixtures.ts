import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '../../../../test/fixtures');

/** `test/fixtures/<kind>/<theme>.json`. */
const ThemeSchema = z.strictObject({
  theme: z.string().min(1),
  /** What the cases have in common. */
  base: z.record(z.string(), z.unknown()),
  /** Each says what differs from the base. */
  cases: z.array(z.looseObject({ name: z.string().regex(/^[a-z0-9-]+$/) })).min(1),
});

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Merges objects field by field. Anything else, arrays and null included, replaces what the base
 * says.
 */
export function withDelta(base: unknown, delta: unknown): unknown {
  if (!isFields(base) || !isFields(delta)) return delta;
  const changed = Object.entries(delta).map(([key, value]) => [key, key in base ? withDelta(base[key], value) : value]);
  return { ...base, ...Object.fromEntries(changed) };
}

/**
 * All cases of a kind, by name. Throws on a field that the schema does not know, and on a name that
 * is given twice.
 */
export function recordedCases<T>(kind: 'assess' | 'guard', schema: z.ZodType<T>): ReadonlyMap<string, T> {
  const cases = new Map<string, T>();
  for (const file of readdirSync(join(FOLDER, kind))) {
    const theme = ThemeSchema.parse(JSON.parse(readFileSync(join(FOLDER, kind, file), 'utf8')));
    for (const one of theme.cases) {
      if (cases.has(one.name)) throw new Error(`${kind}/${file}: ${one.name} is there twice`);
      const read = schema.safeParse(withDelta(theme.base, one));
      if (!read.success) throw new Error(`${kind}/${file}: ${one.name}: ${z.prettifyError(read.error)}`);
      cases.set(one.name, read.data);
    }
  }
  return cases;
}

/** Names of cases, for tests that only refer to them. */
export const caseNames = (kind: 'assess' | 'guard'): ReadonlySet<string> =>
  new Set(recordedCases(kind, z.unknown()).keys());

const TOKEN_KINDS = {
  moment: /\d{4}-\d\d-\d\dT[\d:.]+Z/,
  gate: /^gate \w+/,
  verdictThatWouldFollow: /⇒ (?:alive|suspect|dead|unknown|left)\b/,
  observer: /\bc\d\b/,
  zone: /\bus-east-\d[a-z]\b/,
  figure: /\b\d+(?:\.\d+)?\b/,
  /** A word with a dot or a capital in it. */
  code: /\b[A-Za-z]*[a-z][.A-Z][A-Za-z.]*[a-z]\b/,
};
const anyOf = Object.values(TOKEN_KINDS).map((kind) => kind.source);
const TOKENS = new RegExp(anyOf.join('|'), 'g');

/**
 * The meaning of a sentence without its wording, which may change: `dead: ProbesFailed
 * (us-east-1a)` has the gist `ProbesFailed us-east-1a`.
 */
export const gist = (sentence: string): string => sentence.match(TOKENS)?.join(' ') ?? '';
