import * as z from 'zod';

type Schema = z.core.$ZodType;

/** The schema that a wrapper stands around: a default, `nullable`, `optional`, a transform. */
function within(schema: Schema): Schema | null {
  const { def } = schema._zod as { def: { innerType?: Schema; in?: Schema; out?: Schema } };
  return def.innerType ?? (def.out && def.in instanceof z.ZodTransform ? def.out : (def.in ?? null));
}

/**
 * Every field that a schema describes, as `plan.volumes[].tags`. What may stand under any name, as
 * in a request of EC2, is described by no schema.
 */
export function describedFields(schema: Schema, at = ''): readonly string[] {
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([name, field]) => {
      const path = at === '' ? name : `${at}.${name}`;
      return [path, ...describedFields(field, path)];
    });
  if (schema instanceof z.ZodArray) return describedFields(schema.element, `${at}[]`);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((one) => describedFields(one, at));
  const inner = within(schema);
  return inner ? describedFields(inner, at) : [];
}

/** Every field that a value has, named in the same way. */
export function presentFields(value: unknown, at = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => presentFields(one, `${at}[]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const path = at === '' ? name : `${at}.${name}`;
    return [path, ...presentFields(field, path)];
  });
}
