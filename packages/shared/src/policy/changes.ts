/** One field that differs. `+`: it had its default; `-`: it has its default again. */
export interface PolicyChange {
  readonly sign: '+' | '-' | '~';
  /** As `guard.cooldownMs`. */
  readonly path: string;
  /** Null: not set. */
  readonly before: unknown;
  readonly after: unknown;
}

const isSection = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every field that is set, by its path. Lists are one field. */
export function fieldsSet(policy: object, at = ''): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const [name, value] of Object.entries(policy)) {
    const path = at === '' ? name : `${at}.${name}`;
    if (isSection(value)) for (const [inner, set] of fieldsSet(value, path)) found.set(inner, set);
    else if (value !== undefined) found.set(path, value);
  }
  return found;
}

/** What differs between two policies as they are written, by path. */
export function policyChanges(before: object, after: object): readonly PolicyChange[] {
  const [was, is] = [fieldsSet(before), fieldsSet(after)];
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths.flatMap((path): readonly PolicyChange[] => {
    const change = { path, before: was.get(path) ?? null, after: is.get(path) ?? null };
    if (!was.has(path)) return [{ sign: '+', ...change }];
    if (!is.has(path)) return [{ sign: '-', ...change }];
    return JSON.stringify(change.before) === JSON.stringify(change.after) ? [] : [{ sign: '~', ...change }];
  });
}

/** The policy inside the value of a group's record, as it is written there. Null: there is none. */
export function policyIn(value: string | null): object | null {
  if (value === null) return null;
  try {
    const json: unknown = JSON.parse(value);
    const policy: unknown = isSection(json) ? json.policy : null;
    return isSection(policy) ? policy : null;
  } catch {
    return null;
  }
}
