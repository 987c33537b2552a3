import ansis from 'ansis';
import Table from 'cli-table3';
import { durationText, type OpinionVerdict } from '@understudy/shared';

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

/** Borderless table, two spaces between columns. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
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
    chars: { ...chars, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}
