/**
 * Readers for answers of EC2. Any field may be missing or of another type than expected; nothing
 * throws.
 */

export type Raw = Readonly<Record<string, unknown>>;

const NOTHING: Raw = Object.freeze({});

/** The object itself, or an empty one. */
export const rawOf = (value: unknown): Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : NOTHING;

/** The objects of a list. Everything else is left out. */
export const rawListOf = (value: unknown): readonly Raw[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null).map(rawOf) : [];

/** A non-empty string, or null. */
export const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** True only for `true`. */
export const flagOf = (value: unknown): boolean => value === true;

/** A Date or an ISO time as ms since the epoch, or null. */
export function wallMsOf(value: unknown): number | null {
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : null;
}

export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string' && item !== '') : [];

/** EC2's `[{ Key, Value }]` as a record. */
export function tagsOf(value: unknown): Record<string, string> {
  const entries = rawListOf(value).flatMap(({ Key, Value }): [string, string][] =>
    typeof Key === 'string' ? [[Key, typeof Value === 'string' ? Value : '']] : [],
  );
  return Object.fromEntries(entries);
}

/**
 * The value when it is one of `known`, otherwise `fallback`. A word EC2 invents later must not pass
 * for one we act on.
 */
export function oneOf<const T extends string>(known: readonly T[], value: unknown, fallback: T): T {
  return known.find((word) => word === value) ?? fallback;
}
