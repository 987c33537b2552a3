import { type Json, type JsonObject, isList, isObject, keysOf } from './document.ts';
import { pathText } from './field-path.ts';

/** One field that differs between two documents. */
export interface FieldChange {
  /** As `State.Name` or `Tags[understudy:group]`. */
  readonly path: string;
  /** Null: it was not there. */
  readonly before: Json;
  /** Null: it is not there any more. */
  readonly after: Json;
}

/**
 * What differs, in the order of the paths. Objects of lists are compared by what names them, so
 * that one more disk is one more disk, and not every disk after it another one.
 */
export function differences(before: JsonObject, after: JsonObject): readonly FieldChange[] {
  return differing(before, after, []);
}

function differing(before: Json | undefined, after: Json | undefined, path: readonly string[]): FieldChange[] {
  const [old, fresh] = [membersOf(before), membersOf(after)];
  if (old !== null && fresh !== null) {
    const names = [...new Set([...old.keys(), ...fresh.keys()])].sort();
    return names.flatMap((name) => differing(old.get(name), fresh.get(name), [...path, name]));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path: pathText(path), before: before ?? null, after: after ?? null }];
}

/** An object, or a list whose items are named, as its members. Null: it is compared as a whole. */
function membersOf(value: Json | undefined): ReadonlyMap<string, Json> | null {
  if (isObject(value)) return new Map(Object.entries(value));
  const keys = isList(value) ? keysOf(value) : null;
  return keys === null || !isList(value) ? null : new Map(keys.map((key, at) => [key, value[at] ?? null]));
}
