import * as z from 'zod';
import { nearTo } from './near-names.ts';

/** The schema inside a wrapper that changes nothing about its keys. */
const inner = (schema: z.core.$ZodType): z.core.$ZodType | null => {
  const { def } = schema._zod as { def: { innerType?: z.core.$ZodType; in?: z.core.$ZodType; out?: z.core.$ZodType } };
  return def.innerType ?? (def.out && def.in instanceof z.ZodTransform ? def.out : (def.in ?? null));
};

/** Every object a schema may be at this place. A union has several. */
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

/** At most this many places are named, because the reader has to choose. */
const ELSEWHERE_MAX = 3;
/** How many sections deep a key is looked for elsewhere. */
const SECTIONS_DEEP = 3;

/** A path that may be written in a file, and the name of its last key. */
interface Place {
  readonly key: string;
  readonly path: string;
}

/** Every key in the sections of a schema, with its whole path. Keys inside lists are left out. */
function placesIn(schema: z.core.$ZodType, within: readonly string[] = []): readonly Place[] {
  if (within.length > SECTIONS_DEEP) return [];
  return objectsIn(schema).flatMap(({ shape }) =>
    Object.entries(shape).flatMap(([key, value]) => {
      const path = [...within, key];
      return [{ key, path: path.join('.') }, ...placesIn(value, path)];
    }),
  );
}

/** Where an unknown key may belong: the same name in another section, or else one that is near. */
function elsewhere(schema: z.core.$ZodType, key: string): readonly string[] {
  const places = placesIn(schema);
  const pathsOf = (name: string) => places.filter((place) => place.key === name).map(({ path }) => path);
  const same = pathsOf(key);
  return same.length > 0 ? same : nearTo(key, [...new Set(places.map((place) => place.key))]).flatMap(pathsOf);
}

/** An unknown key in words, with the keys that are near, or with where it belongs. */
function unknownKeyText(schema: z.core.$ZodType, path: readonly PropertyKey[], key: string): string {
  const near = nearTo(key, knownKeys(schema, path));
  if (near.length > 0) return `"${key}" (did you mean ${near.join(' or ')}?)`;
  const [first, ...more] = elsewhere(schema, key);
  if (first === undefined) return `"${key}"`;
  return more.length === 0 && first.endsWith(`.${key}`)
    ? `"${key}" (it belongs to its section: ${first})`
    : `"${key}" (did you mean ${[first, ...more].slice(0, ELSEWHERE_MAX).join(' or ')}?)`;
}

/** The fault in words, without the place. */
export function faultText(schema: z.core.$ZodType, issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  const texts = issue.keys.map((key) => unknownKeyText(schema, issue.path, key));
  return `Unrecognized key${texts.length > 1 ? 's' : ''}: ${texts.join(', ')}`;
}
