/**
 * Text that other people wrote (reasons, tags, names, records, console output, answers of servers)
 * may hold characters that a terminal obeys: colours, the title, the clipboard, the cursor, a line
 * that was never ours. Here they become characters that only look like them. Pure.
 */

/**
 * Controls (C0, DEL, C1), format characters (directions, invisible ones), line and paragraph
 * separators, halves of pairs.
 */
const OBEYED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** The same characters, without those that `JSON.stringify` escapes. */
const OBEYED_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `␛`, `␊` … where the character has a picture of its own, otherwise `\u009b`. */
function picture(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '␡' : escaped(character);
}

/** The escape of a character, in units of UTF-16, as JSON has them. */
const escaped = (character: string): string =>
  [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');

/** One line of text in which a terminal obeys nothing. Idempotent. */
export const harmlessText = (text: string): string => text.replace(OBEYED, picture);

/**
 * The lines of a text, each harmless. It also takes a text that {@link harmlessText} made one line
 * of. A carriage return before a break belongs to the break.
 */
export const shownLines = (text: string): readonly string[] => harmlessText(text).split(/␍?␊/u);

/** Several lines, each harmless. For our own texts, e.g. a stack trace. */
export const harmlessLines = (text: string): string => text.split('\n').map(harmlessText).join('\n');

/**
 * The same value with every text in it harmless, keys of objects included. The value must be JSON.
 */
export function harmless<T>(value: T): T {
  return mapped(value) as T;
}

function mapped(value: unknown): unknown {
  if (typeof value === 'string') return harmlessText(value);
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [harmlessText(key), mapped(each)]));
}

/**
 * JSON of the same meaning, without any character that a terminal obeys (except its own line
 * breaks).
 */
export const harmlessJson = (json: string): string => json.replace(OBEYED_IN_JSON, escaped);
