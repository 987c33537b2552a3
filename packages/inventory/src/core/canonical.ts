import { type Json, type JsonObject, isObject, keysOf, wordIn } from './document.ts';

/** Members that are left out: a path each, in which `*` stands for any one member or list. */
export type Volatile = readonly (readonly string[])[];

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The canonical form of an answer: two answers about the same state are the same text. Members are
 * in the order of their names and lists in the order of their keys, because AWS gives them in any.
 * What is absent, null or an empty list is left out, because AWS gives either. Moments are ISO
 * texts. Tags become an object, so that a tag is a field like any other. What changes without
 * anything having happened (`volatile`) is left out.
 */
export function canonical(raw: Readonly<Record<string, unknown>>, volatile: Volatile): JsonObject {
  const made = canonicalValue(raw, volatile);
  return isObject(made) ? made : {};
}

/** Undefined: it is as if the member were not there. */
function canonicalValue(value: unknown, volatile: Volatile): Json | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) return canonicalList(value, volatile);
  if (typeof value !== 'object' || value === null) return undefined;
  return canonicalObject(value as Readonly<Record<string, unknown>>, volatile);
}

function canonicalObject(raw: Readonly<Record<string, unknown>>, volatile: Volatile): JsonObject | undefined {
  const members = Object.entries(raw)
    .filter(
      ([name]) => name !== '$metadata' && !volatile.some(([first, ...rest]) => rest.length === 0 && first === name),
    )
    .flatMap(([name, value]): [string, Json][] => {
      const inside = volatile.flatMap(([first, ...rest]) => (first === name || first === '*' ? [rest] : []));
      const made = canonicalValue(
        value,
        inside.filter((path) => path.length > 0),
      );
      return made === undefined ? [] : [[name, made]];
    })
    .sort(([a], [b]) => order(a, b));
  return members.length === 0 ? undefined : Object.fromEntries(members);
}

function canonicalList(raw: readonly unknown[], volatile: Volatile): Json | undefined {
  const inside = volatile.flatMap(([first, ...rest]) => (first === '*' && rest.length > 0 ? [rest] : []));
  const items = raw.flatMap((one) => canonicalValue(one, inside) ?? []);
  if (items.length === 0) return undefined;
  const tags = tagsIn(items);
  if (tags !== null) return tags;
  const keys = keysOf(items);
  const sortable = items.map((item, at): readonly [string, Json] => [keys?.[at] ?? JSON.stringify(item), item]);
  return sortable.sort(([a], [b]) => order(a, b)).map(([, item]) => item);
}

/** The list as an object, where it is one of tags: keys and values, and nothing else. */
function tagsIn(items: readonly Json[]): JsonObject | null {
  const pairs = items.flatMap((item): [string, string][] => {
    if (!isObject(item)) return [];
    const { Key, Value, ...others } = item;
    const isTag = typeof Key === 'string' && (Value === undefined || typeof Value === 'string');
    return isTag && Object.keys(others).length === 0 ? [[Key, wordIn(item, 'Value') ?? '']] : [];
  });
  if (pairs.length !== items.length) return null;
  return Object.fromEntries(pairs.sort(([a], [b]) => order(a, b)));
}

/** Whether any tag is on it. */
export const isTagged = ({ Tags }: JsonObject): boolean => isObject(Tags) && Object.keys(Tags).length > 0;
