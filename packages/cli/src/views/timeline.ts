import type { OpenStepView } from '@understudy/shared';
import ansis from 'ansis';

/** The time a timeline spans. */
export interface Span {
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

const FILL: Readonly<Record<string, string>> = { done: '█', failed: '▒' };
const COLOUR: Readonly<Record<string, (text: string) => string>> = { done: ansis.green, failed: ansis.red };

/**
 * A step as a bar that stands where it began and is as long as it took, `columns` for the whole
 * span. `█` is done, `▒` failed, `░` runs.
 */
export function barText(step: OpenStepView, { fromWallMs, toWallMs }: Span, columns: number): string {
  const spanMs = Math.max(1, toWallMs - fromWallMs);
  const column = (wallMs: number): number =>
    Math.min(columns, Math.max(0, Math.round(((wallMs - fromWallMs) / spanMs) * columns)));
  const begin = Math.min(column(step.startedAtWallMs), columns - 1);
  const end = Math.max(begin + 1, column(step.endedAtWallMs ?? toWallMs));
  const bar = (FILL[step.state] ?? '░').repeat(end - begin);
  return `${' '.repeat(begin)}${(COLOUR[step.state] ?? ansis.magenta)(bar)}${' '.repeat(columns - end)}`;
}

/** Columns that a bar gets. */
export const barColumns = (width: number | null): number => (width !== null && width >= 120 ? 40 : 20);
