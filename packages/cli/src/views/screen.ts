import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Where a view is shown. */
export interface Screen {
  /** Columns of the terminal. Null: no terminal, where lines may be of any length. */
  readonly width: number | null;
}

export const PIPE: Screen = { width: null };

/** The narrowest terminal that is wrapped for. Below this the terminal breaks lines itself. */
const NARROWEST = 40;
/** Deepest indent of what continues a line. */
const INDENT_MAX = 24;

export function standardOutput(): Screen {
  const { isTTY, columns } = process.stdout;
  return { width: isTTY && columns >= NARROWEST ? columns : null };
}

/** Where the text of a line begins: behind its label, its bullet or its arrow. */
function textStart(line: string): number {
  const bare = line.replaceAll(/\p{Cc}\[[\d;]*m/gu, '');
  const label = /^(?:[├└]─ |\S{1,12}(?: \S{1,10})? {2,}|\s+(?:→ |\$ |- )?|- )/u.exec(bare)?.[0] ?? '';
  return label.length > INDENT_MAX ? 2 : label.length;
}

/**
 * One line, broken at blanks where it is too long; what follows stands below where its text began.
 */
export function wrapLine(line: string, { width }: Screen): string {
  if (width === null || stringWidth(line) <= width) return line;
  const start = textStart(line);
  const at = rawIndex(line, start);
  const parts = wrapAnsi(line.slice(at), width - start).split('\n');
  return `${line.slice(0, at)}${parts.join(`\n${' '.repeat(start)}`)}`;
}

/** Where in a line with colours its column `column` stands. */
function rawIndex(line: string, column: number): number {
  let seen = 0;
  for (const { index, 0: token } of line.matchAll(/\p{Cc}\[[\d;]*m|./gsu)) {
    if (seen === column && token.length === 1) return index;
    if (token.length === 1) seen += 1;
  }
  return line.length;
}

/** Every line of a text. Not for tables. */
export const wrapText = (text: string, screen: Screen): string =>
  text
    .split('\n')
    .map((line) => wrapLine(line, screen))
    .join('\n');

/** `1 problem`, `2 problems`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** An age for a column: `6 s`, `4 min`, `3 h`, `2 d`. */
export function shortAge(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** `i-0abc…c1ff` where there is little room. Both ends are shown, because either may be known. */
export const shortId = (id: string, { width }: Screen): string =>
  width !== null && width < 120 && id.length > 12 ? `${id.slice(0, 6)}…${id.slice(-4)}` : id;

/** `us-east-1a` is `1a` where there is little room. */
export const shortZone = (az: string, { width }: Screen): string =>
  width !== null && width < 120 ? (/^[a-z]+(?:-[a-z]+)+-(\d+[a-z]+)$/.exec(az)?.[1] ?? az) : az;
