/**
 * Secrets are removed from everything that goes into a bundle: by the name of the field, by what
 * secrets look like, and by what the secrets of this host are. Rather too much is removed than too
 * little.
 */

/** Fields whose value is a secret, or may hold one, as user data and console output do. */
const SECRET_FIELD =
  /token|passw|secret|credential|private|authorization|cookie|user_?data|apikey|accesskey|master|signature|console(?:text|output)/i;
/** Fields of such a name that say nothing secret: names of files, counts, times, fingerprints. */
const HARMLESS_FIELD = /(?:file|id|count|ms|bytes|fingerprint|at|tokens)$/i;

const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[removed: private key]'],
  [/\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b/g, '[removed: AWS key id]'],
  [/\b(?:FwoG|IQoJ)[A-Za-z0-9+/=_-]{40,}/g, '[removed: AWS session token]'],
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, '[removed: web token]'],
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, '[removed: webhook secret]'],
  [/\bus_[A-Za-z0-9]+_[A-Za-z0-9_-]{20,}/g, '[removed: token]'],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi, '$1 [removed]'],
  [/(:\/\/)[^\s/@:"']+:[^\s/@"']+@/g, '$1[removed]@'],
  [/([?&](?:X-Amz-[A-Za-z-]+|token|key|signature|password)=)[^&\s"']+/gi, '$1[removed]'],
  [
    /\b([\w-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[\w-]*["']?\s*[=:]\s*)(?!\[removed)(?:"[^"]*"|'[^']*'|[^\s,;}"']+)/gi,
    '$1[removed]',
  ],
  [/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi, '[removed: 64 hex characters]'],
  // The secret of an AWS key: 40 of these, of every kind.
  [
    /(?<![A-Za-z0-9/+=])(?=[A-Za-z0-9/+]*[A-Z])(?=[A-Za-z0-9/+]*[a-z])(?=[A-Za-z0-9/+]*\d)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g,
    '[removed: 40 characters]',
  ],
];

/** Shorter ones are words that stand everywhere. */
const KNOWN_MIN = 6;

export type Redact = (text: string) => string;

/** `known`: secrets of this host and of the caller, which go wherever they stand. */
export function redactWith(known: readonly string[]): Redact {
  const literal = known.filter((one) => one.length >= KNOWN_MIN).toSorted((a, b) => b.length - a.length);
  return (text) => {
    const without = literal.reduce((left, one) => left.replaceAll(one, '[removed: a secret of this host]'), text);
    return SHAPES.reduce((left, [shape, instead]) => left.replaceAll(shape, instead), without);
  };
}

const removed = (value: unknown): string =>
  `[removed: ${typeof value === 'string' ? `${value.length} characters` : typeof value}]`;

/** The same value without what stands in fields of secrets, and with every text redacted. */
export function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((one) => redactValue(one, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, each]: [string, unknown]) => {
      const isSecret = SECRET_FIELD.test(field) && !HARMLESS_FIELD.test(field) && typeof each === 'string';
      const isConsole = field === 'console' && typeof each === 'object' && each !== null;
      if (isConsole) return [field, { ...(redactValue(each, redact) as object), text: '[removed]' }];
      return [redact(field), isSecret ? removed(each) : redactValue(each, redact)];
    }),
  );
}
