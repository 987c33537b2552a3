import type { Report } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

const MARK = { ok: '✓', failed: '✗', skipped: '–' } as const;
const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/**
 * One line per scenario: what shows that the fault struck, what came of it, and how long it took
 * with healing and convergence.
 */
export function lineOf({ name, verdict, evidence, outcome, tookMs }: Report): string {
  const facts = [evidence, outcome].filter((text) => text !== '').join(' → ');
  return `${MARK[verdict]} ${name}${verdict === 'skipped' ? ' (skipped)' : ''}: ${facts} [${seconds(tookMs)}]`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

export function tableOf(reports: readonly Report[]): string {
  const rows = reports.map(({ name, verdict, tookMs }) => [
    name,
    verdict,
    verdict === 'skipped' ? '' : seconds(tookMs),
  ]);
  const count = (verdict: Report['verdict']) => reports.filter((one) => one.verdict === verdict).length;
  const total = `${count('ok')} ok, ${count('failed')} failed, ${count('skipped')} skipped`;
  return `${columns([['scenario', 'result', 'took'], ...rows])}\n\n${total}`;
}

export const listOf = (scenarios: readonly Scenario[]): string =>
  columns([
    ['scenario', 'fault', 'expected'],
    ...scenarios.map(({ name, fault, expected }) => [name, fault, expected]),
  ]);
