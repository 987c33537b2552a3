import { fractionOf } from './consistency.ts';
import { Ec2Error } from './ec2-error.ts';

export interface PageRequest {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

export interface PageLimits {
  readonly min: number;
  readonly max: number;
  /** A call without MaxResults gets everything, or at most this many. */
  readonly unpaginated?: number;
}

/**
 * EC2 does not define the order of results. Here it is by a hash of the id, so that nobody relies
 * on the order of creation.
 */
const rankOf = (id: string): string => `${fractionOf(id).toFixed(10)}/${id}`;

function readToken(action: string, token: string): string {
  let text = '';
  try {
    text = atob(token);
  } catch {
    text = '';
  }
  if (!text.startsWith(`${action}|`)) throw new Ec2Error('InvalidPaginationToken', 'The pagination token is invalid');
  return text.slice(action.length + 1);
}

/**
 * One page: the items ranked after the token. Resources made or deleted between two pages neither
 * shift nor repeat the others.
 * @throws InvalidParameterValue for a MaxResults out of range, InvalidPaginationToken,
 * InvalidParameterCombination (ids with MaxResults)
 */
export function page<T extends { readonly id: string }>(
  action: string,
  items: readonly T[],
  request: PageRequest,
  limits: PageLimits,
  ids: readonly string[] | undefined = undefined,
): { items: T[]; nextToken: string | undefined } {
  const { MaxResults: wanted, NextToken: token } = request;
  if (wanted !== undefined && (ids?.length ?? 0) > 0) {
    throw new Ec2Error('InvalidParameterCombination', 'The parameter MaxResults cannot be used with explicit ids');
  }
  if (wanted !== undefined && (wanted < limits.min || wanted > limits.max)) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `Value ( ${wanted} ) for parameter maxResults is invalid. Expecting a value between ${limits.min} and ${limits.max}.`,
    );
  }
  const after = token === undefined ? '' : readToken(action, token);
  const ranked = items
    .map((item) => ({ item, rank: rankOf(item.id) }))
    .filter(({ rank }) => rank > after)
    .sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const size = wanted ?? limits.unpaginated ?? ranked.length;
  const shown = ranked.slice(0, size);
  const last = shown.at(-1);
  const more = last !== undefined && ranked.length > shown.length;
  return { items: shown.map(({ item }) => item), nextToken: more ? btoa(`${action}|${last.rank}`) : undefined };
}
