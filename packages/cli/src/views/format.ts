import ansis from 'ansis';
import Table from 'cli-table3';
import stringWidth from 'string-width';
import { durationText, type OpinionVerdict } from '@understudy/shared';
import { PIPE, type Screen } from './screen.ts';

/**
 * Pure text for terminals. Colours vanish by themselves where NO_COLOR is set or the output is no
 * terminal.
 */

const VERDICT_COLOUR: Record<OpinionVerdict, (text: string) => string> = {
  alive: ansis.green,
  suspect: ansis.yellow,
  dead: ansis.red,
  unknown: ansis.gray,
  left: ansis.cyan,
};

export const verdictText = (verdict: OpinionVerdict): string => VERDICT_COLOUR[verdict](verdict);

export const agoText = (agoMs: number | null): string => (agoMs === null ? 'never' : `${durationText(agoMs)} ago`);

/**
 * Wall time in UTC, to the second, so that it is comparable with logs whatever the reader's zone.
 */
export const timeText = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 19).replace('T', ' ');

const GAP = '  ';
/** A column is never broken into lines shorter than this. */
const COLUMN_MIN = 12;

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one, 0) + GAP.length * Math.max(0, widths.length - 1);

const longestWord = (text: string): number => Math.max(0, ...text.split(/\s/).map((word) => stringWidth(word)));

/** The widest of the columns that can still be narrower. -1: there is none. */
function widestFree(widths: readonly number[], least: readonly number[]): number {
  const free = widths.map((one, column) => (one > (least[column] ?? 0) ? one : 0));
  const widest = Math.max(0, ...free);
  return widest === 0 ? -1 : free.indexOf(widest);
}

/**
 * The width of each column for the table to fit: the widest are broken first, and no word is.
 * Null: nothing has to be broken, or that would not help.
 */
function fittedWidths(rows: readonly (readonly string[])[], { width }: Screen): number[] | null {
  const columns = [...Array(rows[0]?.length ?? 0).keys()];
  const widest = (of: (text: string) => number) =>
    columns.map((column) => Math.max(0, ...rows.map((row) => of(row[column] ?? ''))));
  const widths = widest((text) => stringWidth(text));
  if (width === null || total(widths) <= width) return null;
  const least = widest((text) => Math.min(stringWidth(text), Math.max(COLUMN_MIN, longestWord(text))));
  if (total(least) > width) return null;
  for (let column = widestFree(widths, least); total(widths) > width && column >= 0; ) {
    widths[column] = (widths[column] ?? 0) - 1;
    column = widestFree(widths, least);
  }
  return widths;
}

/**
 * Borderless table, two spaces between columns. On a narrow screen the texts of the widest columns
 * are broken into lines.
 */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  screen: Screen = PIPE,
): string {
  const widths = fittedWidths([head, ...rows], screen);
  const chars = Object.fromEntries(
    [
      'top',
      'top-mid',
      'top-left',
      'top-right',
      'bottom',
      'bottom-mid',
      'bottom-left',
      'bottom-right',
      'left',
      'left-mid',
      'mid',
      'mid-mid',
      'right',
      'right-mid',
    ].map((name) => [name, '']),
  );
  const table = new Table({
    head: head.map((text) => ansis.bold(text)),
    chars: { ...chars, middle: GAP },
    ...(widths === null ? {} : { colWidths: widths, wordWrap: true }),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table.toString().replaceAll(/ +$/gm, '');
}
