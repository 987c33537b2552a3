import { type CloudFilters, errorText, hasCode, type Raw } from '@understudy/shared';
import { listAsked } from './asked-ids.ts';
import { type Listing, portionsOfList, type SendRead } from './describe-pages.ts';

/** An action that can be asked by name, with its members for that. */
export interface NamedListing extends Listing {
  /** The filter with the same meaning, e.g. `instance-id`. */
  readonly filter: string;
  /** Member of the request that names ids, e.g. `InstanceIds`. */
  readonly ids: string;
}

/**
 * DescribeInstanceStatus takes no more. One unknown id fails the whole portion, so small portions
 * are better for the others too.
 */
const IDS_PER_CALL = 100;

/** The ids, when nothing but ids is asked for; otherwise null. */
export function namesOnly(listing: NamedListing, filters: CloudFilters): readonly string[] | null {
  const names = Object.keys(filters);
  return names.length === 1 ? (filters[listing.filter] ?? null) : null;
}

/**
 * Asks by name, which goes on working while some other zone is impaired. A listing with filters
 * alone fails then, whatever it asks for (EC2 API reference, DescribeInstances). The filter is sent
 * as well, because a call by id alone may count against the smaller, unfiltered bucket. Ids that
 * EC2 does not know are left out, as a filter would.
 */
export async function listNamed(
  send: SendRead,
  listing: NamedListing,
  ids: readonly string[],
): Promise<readonly Raw[]> {
  const found: Raw[] = [];
  for (const portion of portionsOfList([...new Set(ids)], IDS_PER_CALL))
    found.push(...(await listPortion(send, listing, portion)));
  return found;
}

/**
 * Makes at most 2 × {@link IDS_PER_CALL} calls: each failure leaves out an id or halves the
 * portion.
 */
async function listPortion(send: SendRead, listing: NamedListing, ids: readonly string[]): Promise<readonly Raw[]> {
  if (ids.length === 0) return [];
  try {
    const Filters = [{ Name: listing.filter, Values: [...ids] }];
    const answer = await send(listing.action, { ...listing.input, [listing.ids]: [...ids], Filters });
    return listAsked(listing.action, answer, listing.list, { [listing.filter]: ids });
  } catch (error) {
    if (!hasCode(error, 'CLOUD_NOT_FOUND')) throw error;
    if (ids.length === 1) return [];
    const known = withoutNamed(ids, errorText(error));
    if (known.length < ids.length) return listPortion(send, listing, known);
    const middle = Math.ceil(ids.length / 2);
    const lower = await listPortion(send, listing, ids.slice(0, middle));
    return [...lower, ...(await listPortion(send, listing, ids.slice(middle)))];
  }
}

/** EC2 names the ids it does not know: `The instance IDs 'i-0a, i-0b' do not exist`. */
function withoutNamed(ids: readonly string[], text: string): readonly string[] {
  const named = new Set(text.match(/\b[a-z]+-[0-9a-f]+\b/g));
  return ids.filter((id) => !named.has(id));
}
