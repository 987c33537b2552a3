/** A page, as its address names it. */
export type Place =
  | { readonly page: 'fleet' }
  | { readonly page: 'history' }
  | { readonly page: 'cluster' }
  | { readonly page: 'inventory' }
  | { readonly page: 'login' }
  | { readonly page: 'member'; readonly member: string }
  | { readonly page: 'nowhere'; readonly path: string };

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const NAMED = ['history', 'cluster', 'inventory', 'login'] as const;
const isNamed = (word: string): word is (typeof NAMED)[number] => NAMED.some((one) => one === word);

export function placeOf(path: string): Place {
  const parts = path.split('/').filter((part) => part !== '');
  const [first, group = '', name = '', ...rest] = parts;
  if (first === undefined) return { page: 'fleet' };
  if (parts.length === 1 && isNamed(first)) return { page: first };
  if (first === 'members' && rest.length === 0 && NAME.test(group) && NAME.test(name))
    return { page: 'member', member: `${group}/${name}` };
  return { page: 'nowhere', path };
}

export function pathOf(place: Place): string {
  if (place.page === 'fleet') return '/';
  if (place.page === 'member') return `/members/${place.member}`;
  return place.page === 'nowhere' ? place.path : `/${place.page}`;
}

/** What shows the same on a terminal. */
export function commandOf(place: Place): string {
  if (place.page === 'member') return `understudy explain ${place.member}`;
  if (place.page === 'history') return 'understudy history';
  if (place.page === 'inventory') return 'understudy inventory status';
  return place.page === 'cluster' ? 'understudy status' : 'understudy members';
}
