const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Characters that do not stand in a quoted text as they are. */
const SPECIAL = /["\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function escaped(character: string): string {
  const short = ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  return code > 0xff_ff
    ? `\\U${code.toString(16).padStart(8, '0')}`
    : `\\u${(code >= 0xd8_00 && code <= 0xdf_ff ? 0xff_fd : code).toString(16).padStart(4, '0')}`;
}

/**
 * A quoted text of HCL, in which nothing is a template: `${` and `%{` are themselves. (HCL native
 * syntax specification, "Quoted Template Expressions".)
 */
export const hclText = (text: string): string =>
  `"${text.replace(SPECIAL, escaped).replaceAll(/[$%](?=\{)/g, (sign) => `${sign}${sign}`)}"`;

/** A text, or a list of texts, a number or a yes, as an expression of HCL. */
export function hclValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(hclValue).join(', ')}]`;
  if (typeof value === 'string') return hclText(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'null';
}
