import type { Filter } from '@aws-sdk/client-ec2';
import { Ec2Error } from './ec2-error.ts';
import type { SimTags } from './model.ts';

/** Filter name → the values an item has for it. */
export type FilterTable<T> = Readonly<Record<string, (item: T) => readonly (string | null | undefined)[]>>;

const FILTER_VALUES_MAX = 200;

function pattern(text: string): RegExp {
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

const accepts = (wanted: readonly RegExp[], values: readonly (string | null | undefined)[]): boolean =>
  values.some((value) => value !== null && value !== undefined && wanted.some((one) => one.test(value)));

function valuesOf<T extends { readonly tags: SimTags }>(table: FilterTable<T>, name: string) {
  if (name.startsWith('tag:')) return (item: T) => [item.tags[name.slice(4)]];
  if (name === 'tag-key') return (item: T) => Object.keys(item.tags);
  if (name === 'tag-value') return (item: T) => Object.values(item.tags);
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/**
 * Applies filters. Values of one filter are alternatives, and all filters must hold; `*` and `?`
 * are wildcards.
 * @throws InvalidParameterValue for a filter this action does not know; FilterLimitExceeded above
 * 200 values.
 */
export function applyFilters<T extends { readonly tags: SimTags }>(
  items: readonly T[],
  filters: readonly Filter[] | undefined,
  table: FilterTable<T>,
): T[] {
  const tests = (filters ?? []).map((filter) => {
    const name = filter.Name ?? '';
    const values = filter.Values ?? [];
    const extract = valuesOf(table, name);
    if (!extract) throw new Ec2Error('InvalidParameterValue', `The filter '${name}' is invalid`);
    if (values.length === 0) {
      throw new Ec2Error('InvalidParameterValue', `The filter '${name}' must have at least one value`);
    }
    if (values.length > FILTER_VALUES_MAX) {
      throw new Ec2Error('FilterLimitExceeded', `The filter '${name}' has ${values.length} values, maximum 200`);
    }
    const wanted = values.map(pattern);
    return (item: T) => accepts(wanted, extract(item));
  });
  return items.filter((item) => tests.every((test) => test(item)));
}

/** SDK tags of a resource, `aws:` ones included, in key order. */
export const tagList = (tags: SimTags) =>
  Object.entries(tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));
