import type { Scenario } from './scenario.ts';

export interface Report {
  readonly name: string;
  readonly verdict: 'ok' | 'failed';
  readonly evidence: string;
  readonly outcome: string;
  readonly tookMs: number;
  /** Machines that booted meanwhile. */
  readonly boots: number;
}

const MARK = { ok: '✓', failed: '✗' } as const;
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export function lineOf({ name, verdict, evidence, outcome, tookMs }: Report): string {
  const facts = [evidence, outcome].filter((text) => text !== '').join(' → ');
  return `${MARK[verdict]} ${name}: ${facts} [${seconds(tookMs)}]`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

export function tableOf(reports: readonly Report[]): string {
  const rows = reports.map(({ name, verdict, tookMs, boots }) => [name, verdict, seconds(tookMs), String(boots)]);
  const failed = reports.filter(({ verdict }) => verdict === 'failed').length;
  return `${columns([['scenario', 'outcome', 'took', 'boots'], ...rows])}\n\n${reports.length - failed} ok, ${failed} failed`;
}

export const listOf = (scenarios: readonly Scenario[]): string =>
  columns([
    ['scenario', 'fault', 'expected'],
    ...scenarios.map(({ name, fault, expected }) => [name, fault, expected]),
  ]);
