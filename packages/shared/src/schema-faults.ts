import * as z from 'zod';
import { nearTo } from './near-names.ts';

/** Wrappers around a schema that change nothing about its keys. */
const inner = (schema: z.core.$ZodType): z.core.$ZodType | null => {
  const { def } = schema._zod as { def: { innerType?: z.core.$ZodType; in?: z.core.$ZodType; out?: z.core.$ZodType } };
  return def.innerType ?? (def.out && def.in instanceof z.ZodTransform ? def.out : (def.in ?? null));
};

/** Every object a schema may be at this place: a union has several. */
function objectsIn(schema: z.core.$ZodType): readonly z.ZodObject[] {
  if (schema instanceof z.ZodObject) return [schema];
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(objectsIn);
  const within = inner(schema);
  return within ? objectsIn(within) : [];
}

function at(schema: z.core.$ZodType, part: PropertyKey): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return [schema.element];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((one) => at(one, part));
  const within = schema instanceof z.ZodObject ? null : inner(schema);
  if (within) return at(within, part);
  return objectsIn(schema).flatMap(({ shape }) =>
    Object.hasOwn(shape, part) ? [shape[String(part)] as z.core.$ZodType] : [],
  );
}

/** The keys that are known at a place of a schema. */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  let here: readonly z.core.$ZodType[] = [schema];
  for (const part of path) here = here.flatMap((one) => at(one, part));
  return [...new Set(here.flatMap(objectsIn).flatMap(({ shape }) => Object.keys(shape)))];
}

/** What is wrong, in words, without the place; an unknown key with the ones that are near. */
export function faultText(schema: z.core.$ZodType, issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  const known = knownKeys(schema, issue.path);
  const texts = issue.keys.map((key) => {
    const near = nearTo(key, known);
    return near.length > 0 ? `"${key}" (did you mean ${near.join(' or ')}?)` : `"${key}"`;
  });
  return `Unrecognized key${texts.length > 1 ? 's' : ''}: ${texts.join(', ')}`;
}
