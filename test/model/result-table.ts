import { agrees, type SearchResult } from './search.ts';

const HEADER = ['configuration', 'expected', 'found', 'states', 'seconds', 'rules', 'shows'] as const;

const found = (result: SearchResult): string =>
  result.found.kind === 'nothing' ? result.found.why : result.found.kind;

function row(result: SearchResult): readonly string[] {
  const { configuration, report, seconds } = result;
  return [
    agrees(result) ? configuration.name : `${configuration.name} (DIFFERS)`,
    configuration.expected,
    found(result),
    report.states.toLocaleString('en-US'),
    seconds.toFixed(1),
    configuration.rules.join(' '),
    configuration.shows,
  ];
}

/** A Markdown table, so that what is printed can be pasted into model/README.md. */
export function resultTable(results: readonly SearchResult[]): string {
  const rows = [HEADER, HEADER.map(() => '---'), ...results.map(row)];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
