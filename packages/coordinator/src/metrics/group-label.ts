import { groupOf, type MemberId } from '@understudy/shared';

/**
 * Groups that have series of their own. A monitoring system pays for every series, and whoever may
 * tag instances may invent groups.
 */
export const GROUPS_SHOWN_MAX = 200;

/** The label of all groups beyond {@link GROUPS_SHOWN_MAX}. It is no name a group can have. */
export const OTHER_GROUPS = '(other)';

/**
 * Names the owner of each member for a label with a bounded number of values: the groups that come
 * first by name keep theirs, so that the same ones do at every scrape and on every coordinator.
 */
export function groupLabel(members: Iterable<MemberId>, shownMax = GROUPS_SHOWN_MAX): (member: MemberId) => string {
  const groups = [...new Set([...members].map(groupOf))].sort();
  if (groups.length <= shownMax) return groupOf;
  const shown = new Set(groups.slice(0, shownMax));
  return (member) => (shown.has(groupOf(member)) ? groupOf(member) : OTHER_GROUPS);
}

/** How often each pair of a group and another label is there, as series. */
export function countByGroup<L extends string>(
  label: L,
  pairs: Iterable<readonly [group: string, value: string]>,
): readonly (readonly [Readonly<Record<'group' | L, string>>, number])[] {
  const counts = new Map<string, { readonly labels: Record<'group' | L, string>; count: number }>();
  for (const [group, value] of pairs) {
    const key = `${group} ${value}`;
    const counted = counts.get(key);
    if (counted) counted.count++;
    else counts.set(key, { labels: { group, [label]: value } as Record<'group' | L, string>, count: 1 });
  }
  return [...counts.values()].map(({ labels, count }) => [labels, count] as const);
}
