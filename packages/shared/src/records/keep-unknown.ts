import type * as z from 'zod';

/** Keys of one object that its schema does not know. */
interface Unknown {
  readonly path: readonly PropertyKey[];
  readonly keys: readonly string[];
}

const unknownIn = (error: z.ZodError): readonly Unknown[] =>
  error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? [{ path: issue.path, keys: issue.keys }] : []));

function at(value: unknown, path: readonly PropertyKey[]): object | null {
  let here = value;
  for (const part of path) here = typeof here === 'object' && here !== null ? Reflect.get(here, part) : null;
  return typeof here === 'object' && here !== null ? here : null;
}

function remove(from: unknown, { path, keys }: Unknown): void {
  const object = at(from, path);
  if (object) for (const key of keys) Reflect.deleteProperty(object, key);
}

/** Sets an own property, because a key may be called `__proto__`. */
function putBack(into: unknown, original: unknown, { path, keys }: Unknown): void {
  const [object, source] = [at(into, path), at(original, path)];
  if (!object || !source) return;
  for (const key of keys) {
    const { value } = Reflect.getOwnPropertyDescriptor(source, key) ?? {};
    Reflect.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  }
}

/**
 * Reads what a newer build may have written. Keys that the schema does not know, at any depth, are
 * kept where they stand, so that they survive when the record is written again. They mean nothing
 * to this build. Everything that the schema does know must fit, as it must without them. The value
 * is JSON: a tree, which is not changed.
 */
export function parseKeeping<T>(schema: z.ZodType<T>, value: unknown): z.ZodSafeParseResult<T> {
  const first = schema.safeParse(value);
  if (first.success || unknownIn(first.error).length === 0) return first;
  const known: unknown = structuredClone(value);
  const unknown: Unknown[] = [];
  let parsed: z.ZodSafeParseResult<T> = first;
  while (!parsed.success) {
    const found = unknownIn(parsed.error);
    if (found.length === 0) return parsed;
    for (const one of found) remove(known, one);
    unknown.push(...found);
    parsed = schema.safeParse(known);
  }
  for (const one of unknown) putBack(parsed.data, value, one);
  return parsed;
}

/**
 * What is carried over into a record that is written in place of another: the keys that its schema
 * does not know, and the level needed to act by it.
 */
export const carriedFields = (schema: z.ZodObject, record: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(record).filter(([key]) => key === 'neededLevel' || !Object.hasOwn(schema.shape, key)),
  );
