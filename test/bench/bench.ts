/**
 * One measured line. Ratios compare two figures of the same run. Absolute figures are for reading,
 * and nothing is gated on them.
 */
export interface BenchRow {
  readonly what: string;
  readonly measured: number;
  /** The budget, e.g. `≥ 0.80`. Null where there is none. */
  readonly budget: string | null;
  readonly unit: string;
  /** True when within the budget. Null where there is none. */
  readonly ok: boolean | null;
}

export type Bench = () => Promise<readonly BenchRow[]>;

const HEAD = ['what', 'measured', 'unit', 'budget', ''] as const;

/** Plain text, columns aligned. */
export function renderRows(rows: readonly BenchRow[]): string {
  const cells = [
    HEAD.slice(),
    ...rows.map((row) => [row.what, shown(row.measured), row.unit, row.budget ?? '', mark(row.ok)]),
  ];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const line = (line: readonly string[]) =>
    line
      .map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return cells.map(line).join('\n');
}

const mark = (ok: boolean | null): string => (ok === null ? '' : ok ? 'ok' : 'MISSED');
const shown = (value: number): string =>
  Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(Math.abs(value) < 10 ? 3 : 1);

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
