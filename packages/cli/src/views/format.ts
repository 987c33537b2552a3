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
/** The last column is broken into lines only where it keeps at least this many columns. */
const LAST_MIN = 16;

/** The width of each column, if the last one has to be narrower for the table to fit. */
function fittedWidths(rows: readonly (readonly string[])[], { width }: Screen): number[] | null {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const all = widths.reduce((sum, one) => sum + one, 0) + GAP.length * (columns - 1);
  if (width === null || all <= width) return null;
  const last = (widths.at(-1) ?? 0) - (all - width);
  return last < LAST_MIN ? null : [...widths.slice(0, -1), last];
}

/**
 * Borderless table, two spaces between columns. On a narrow screen the texts of the last column are
 * broken into lines.
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
