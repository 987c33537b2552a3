import { TAG, type Tags } from '@understudy/shared';

/** EC2: user tags per resource (`aws:` ones do not count). */
export const MAX_TAGS = 50;

const OURS = 'understudy:';

/** Marks of an earlier recovery, which the next incarnation must not inherit. */
const PASSING_TAGS: ReadonlySet<string> = new Set([
  TAG.op,
  TAG.attempt,
  TAG.preparedFor,
  TAG.retiredBy,
  TAG.retainUntil,
  TAG.fencedBy,
  TAG.fencedRun,
]);

/** Without what cannot be written (`aws:`) and without the marks of an earlier recovery. */
export const carriedTags = (tags: Tags): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('aws:') && !PASSING_TAGS.has(key)));

/**
 * At most `limit`: ours first, then those that the policy wants, then by key; the same set for the
 * same input.
 */
export function limitTags(tags: Tags, limit: number = MAX_TAGS, wanted: Tags = {}): Record<string, string> {
  const rank = (key: string): number => (key.startsWith(OURS) ? 0 : Object.hasOwn(wanted, key) ? 1 : 2);
  const entries = Object.entries(tags).sort(([a], [b]) => rank(a) - rank(b) || compareText(a, b));
  return Object.fromEntries(entries.slice(0, limit));
}

/** Tags every one of the resources has, with the same value. */
export function commonTags(resources: readonly { readonly tags: Tags }[]): Record<string, string> {
  const [first, ...rest] = resources;
  if (!first) return {};
  return Object.fromEntries(
    Object.entries(first.tags).filter(([key, value]) => rest.every((other) => other.tags[key] === value)),
  );
}

/** EC2's TagSpecification with the tags in order of their keys. */
export const tagSpecification = (resourceType: string, tags: Tags): object => ({
  ResourceType: resourceType,
  Tags: Object.entries(tags)
    .sort(([a], [b]) => compareText(a, b))
    .map(([Key, Value]) => ({ Key, Value })),
});

/** Orders two names that differ by code unit, so that the process's locale does not matter. */
const compareText = (a: string, b: string): number => (a < b ? -1 : 1);

/**
 * The same value with the members of every object in order of their names; `undefined` members are
 * left out.
 */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => compareText(a, b))
      .map(([key, member]) => [key, canonical(member)]),
  );
}
