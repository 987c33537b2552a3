import { type Json, isList, isObject, keysOf } from './document.ts';

/**
 * The parts of a path: names between dots, or anything between brackets
 * (`Tags[understudy:group]`). Null: it is no path.
 */
export function parsePath(text: string): readonly string[] | null {
  const parts: string[] = [];
  const PART = /(?:^|(?<=[^])\.)([^.[\]]+)|\[([^\]]+)\]/y;
  let at = 0;
  while (at < text.length) {
    PART.lastIndex = at;
    const found = PART.exec(text);
    if (found === null) return null;
    parts.push(found[1] ?? found[2] ?? '');
    at = PART.lastIndex;
  }
  return parts.length === 0 ? null : parts;
}

/** The path as text, from which {@link parsePath} makes the same parts. */
export const pathText = (parts: readonly string[]): string =>
  parts.map((part, at) => (/[.[\]]/.test(part) ? `[${part}]` : at === 0 ? part : `.${part}`)).join('');

/**
 * The values at a path. A list stands for each of its items, or for the one whose key the part
 * names.
 */
export function valuesAt(value: Json | undefined, path: readonly string[]): readonly Json[] {
  if (value === undefined) return [];
  const [first, ...rest] = path;
  if (isList(value)) {
    if (first === undefined) return value.flatMap((item) => valuesAt(item, []));
    const named = keysOf(value)?.indexOf(first) ?? -1;
    if (named >= 0) return rest.length === 0 ? [value[named] ?? null] : valuesAt(value[named], rest);
    return value.flatMap((item) => valuesAt(item, path));
  }
  if (first === undefined) return [value];
  return isObject(value) && Object.hasOwn(value, first) ? valuesAt(value[first], rest) : [];
}
