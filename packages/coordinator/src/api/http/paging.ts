import { Refusal } from './refusal.ts';

/** Items on a page, at most. */
export const PAGE_MAX = 500;

export interface Page<T> {
  readonly items: readonly T[];
  /** For `cursor` of the next page. Null: there is none. */
  readonly next: string | null;
}

const encode = (key: string): string => Buffer.from(JSON.stringify({ v: 1, after: key }), 'utf8').toString('base64url');

/** @throws Refusal BAD_REQUEST */
function decode(cursor: string): string {
  try {
    const json: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const after: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, 'after') : null;
    if (typeof after === 'string') return after;
  } catch {
    // It is said below.
  }
  throw new Refusal('BAD_REQUEST', 'cursor: want what the page before said as "next", as it is');
}

/**
 * One page of a list in the order of its keys. A cursor names the last key of the page before, not
 * a number of items: what comes and goes meanwhile neither repeats an item nor leaves one out.
 * @throws Refusal BAD_REQUEST: the cursor is none of ours.
 */
export function pageOf<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
  order: 'ascending' | 'descending' = 'ascending',
): Page<T> {
  const sign = order === 'ascending' ? 1 : -1;
  const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -sign : sign);
  const sorted = all.toSorted((a, b) => compare(keyOf(a), keyOf(b)));
  const after = cursor === undefined ? null : decode(cursor);
  const rest = after === null ? sorted : sorted.filter((item) => compare(keyOf(item), after) > 0);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rest.length > items.length && last !== undefined ? encode(keyOf(last)) : null };
}
