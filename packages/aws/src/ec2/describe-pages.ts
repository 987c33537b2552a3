import { type CloudFilters, OperationError, type Raw, textOf } from '@understudy/shared';
import { listAsked } from './asked-ids.ts';

/** EC2: values per filter and request. */
const MAX_FILTER_VALUES = 200;
/** More than any fleet needs. It ends a listing that would never end. */
const MAX_PAGES = 1_000;
const PAGE_SIZE = 500;

export interface Listing {
  readonly action: string;
  /** Member of the answer that holds the list. */
  readonly list: string;
  /** False: the action knows no MaxResults and no NextToken (DescribeAddresses). */
  readonly paginated: boolean;
  /** Entries per page, where the action takes fewer than 500. */
  readonly pageSize?: number;
  /** Further members of the request. */
  readonly input?: Raw;
}

export type SendRead = (action: string, input: Record<string, unknown>) => Promise<Raw>;

/**
 * Everything that fits the filters, page by page. A filter without values fits nothing and is not
 * sent (EC2 would ignore or refuse it). More than 200 values of one filter are asked for in
 * portions.
 * @throws CLOUD_UNAVAILABLE after 1 000 pages, and where a page is not an answer to what was asked.
 */
export async function listAll(send: SendRead, listing: Listing, filters: CloudFilters): Promise<readonly Raw[]> {
  const found: Raw[] = [];
  for (const portion of portionsOf(filters)) found.push(...(await listPortion(send, listing, portion)));
  return found;
}

async function listPortion(send: SendRead, listing: Listing, filters: CloudFilters): Promise<readonly Raw[]> {
  const Filters = Object.entries(filters).map(([Name, Values]) => ({ Name, Values: [...Values] }));
  const found: Raw[] = [];
  let next: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer: Raw = await send(listing.action, {
      ...listing.input,
      ...(Filters.length === 0 ? {} : { Filters }),
      ...(listing.paginated ? { MaxResults: listing.pageSize ?? PAGE_SIZE } : {}),
      ...(next === null ? {} : { NextToken: next }),
    });
    found.push(...listAsked(listing.action, answer, listing.list, filters));
    next = listing.paginated ? textOf(answer.NextToken) : null;
    if (next === null) return found;
  }
  throw new OperationError('CLOUD_UNAVAILABLE', `${listing.action}: no end after ${MAX_PAGES} pages`);
}

/** The filters with the longest one cut into portions of 200. None when a filter is empty. */
export function portionsOf(filters: CloudFilters): readonly CloudFilters[] {
  const entries = Object.entries(filters);
  if (entries.some(([, values]) => values.length === 0)) return [];
  const [name, values] = entries.toSorted(([, a], [, b]) => b.length - a.length)[0] ?? ['', []];
  if (values.length <= MAX_FILTER_VALUES) return [filters];
  return portionsOfList([...new Set(values)], MAX_FILTER_VALUES).map((portion) => ({ ...filters, [name]: portion }));
}

export function portionsOfList<T>(items: readonly T[], size: number): T[][] {
  const portions: T[][] = [];
  for (let start = 0; start < items.length; start += size) portions.push(items.slice(start, start + size));
  return portions;
}
