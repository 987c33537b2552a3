import { lineAt, type SourceFile, type Violation } from './source.ts';

/**
 * Every log event of the product stands in this page with its level; the page says what the levels
 * mean.
 */
export const LOG_EVENTS_PAGE = 'docs/log-events.md';
export const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type Level = (typeof LEVELS)[number];

export interface LogEvent extends Pick<Violation, 'path' | 'line'> {
  readonly event: string;
  readonly levels: readonly Level[];
}

/** Places that pass on what others name. The event and the level are found where those are. */
const PASS_ON: readonly RegExp[] = [
  /\/recurring-failure\.ts$/,
  /udp\/receive-thread-handle\.ts$/,
  /shared\/src\/ports\/log\.ts$/,
  /shared\/src\/node\/[^/]*log[^/]*\.ts$/,
];
const isProduct = (path: string): boolean =>
  /^packages\/[^/]+\/src\/.*\.ts$/.test(path) && !/\.test\.ts$|fixtures\.ts$|\/testing\//.test(path);

const CALL = /\blog(?:\.(error|warn|info|debug)|\[)/g;
const FIRST_WORD = /^\(\s*'([^']+)'/;
const EITHER_LEVEL = /^[^\]]*\?\s*'(error|warn|info|debug)'\s*:\s*'(error|warn|info|debug)'\]/;
const RECURRING = /new RecurringFailure\(\{([^}]*)\}/g;

/**
 * Log events of the product. A call whose event or levels cannot be read off is a violation,
 * because nobody can look it up either.
 */
export function logEventsOf(file: SourceFile): { readonly events: LogEvent[]; readonly faults: Violation[] } {
  const events: LogEvent[] = [];
  const faults: Violation[] = [];
  if (!isProduct(file.path) || PASS_ON.some((path) => path.test(file.path))) return { events, faults };
  const { path, text, code } = file;
  for (const match of code.matchAll(CALL)) {
    const line = lineAt(text, match.index);
    const after = text.slice(match.index + match[0].length);
    const either = match[1] === undefined ? EITHER_LEVEL.exec(after) : null;
    const event = FIRST_WORD.exec(after.slice(either?.[0].length ?? 0))?.[1];
    const levels = match[1] === undefined ? [either?.[1], either?.[2]] : [match[1]];
    if (event === undefined || levels.includes(undefined)) {
      const told =
        "log it as log.LEVEL('event'), or log[fact ? 'LEVEL' : 'LEVEL']('event'): what is made up cannot be looked up";
      faults.push({ path, line, text: told });
    } else events.push({ path, line, event, levels: levels as Level[] });
  }
  for (const match of code.matchAll(RECURRING)) {
    const line = lineAt(text, match.index);
    const options = text.slice(match.index, match.index + match[0].length);
    const event = /event: '([^']+)'/.exec(options)?.[1];
    const level = /level: '(error|warn)'/.exec(options)?.[1] as Level | undefined;
    if (event === undefined) {
      faults.push({ path, line, text: "name its event: { event: '…' }" });
      continue;
    }
    events.push({ path, line, event, levels: level === undefined ? ['warn', 'error'] : [level] });
    events.push({ path, line, event: `${event}.over`, levels: ['info'] });
  }
  return { events, faults };
}

export interface DocumentedEvent {
  readonly event: string;
  readonly levels: readonly Level[];
  readonly line: number;
  /** The cells beside it: what it means, and for an error what a person does. */
  readonly cells: readonly string[];
}

/** The rows of the page's tables: `| event | level, level | … |`. */
export function documentedEvents(page: string): readonly DocumentedEvent[] {
  return page.split('\n').flatMap((row, index) => {
    const cells = row.split('|').map((cell) => cell.trim());
    const event = /^`([^`]+)`$/.exec(cells[1] ?? '')?.[1];
    if (event === undefined) return [];
    const levels = (cells[2] ?? '').split(', ') as Level[];
    return [{ event, levels, line: index + 1, cells: cells.slice(3, -1) }];
  });
}

const same = (one: readonly Level[], other: readonly Level[]): boolean =>
  one.length === other.length && one.every((level) => other.includes(level));

/** Where page and code differ. */
export function logEventFaults(files: readonly SourceFile[], page: SourceFile): readonly Violation[] {
  const found = files.map(logEventsOf);
  const faults = found.flatMap((one) => one.faults);
  const events = found.flatMap((one) => one.events);
  const rows = documentedEvents(page.text);
  const levelsOf = (name: string) => [
    ...new Set(events.filter(({ event }) => event === name).flatMap(({ levels }) => levels)),
  ];
  for (const { event, levels, path, line } of events) {
    const row = rows.find((one) => one.event === event);
    if (!row)
      faults.push({ path, line, text: `${event}: put it into ${page.path}, with its level (${levels.join(', ')})` });
  }
  for (const { event, levels, line, cells } of rows) {
    const at = { path: page.path, line };
    const inCode = levelsOf(event);
    if (inCode.length === 0) faults.push({ ...at, text: `${event}: nothing logs it; take it out` });
    else if (!same(levels, inCode))
      faults.push({ ...at, text: `${event}: the page says ${levels.join(', ')}, the code ${inCode.join(', ')}` });
    if (rows.filter((one) => one.event === event).length > 1)
      faults.push({ ...at, text: `${event} stands there twice` });
    if (cells.length === 0 || cells.some((cell) => cell === ''))
      faults.push({ ...at, text: `${event}: say what it means, and of an error what a person does` });
    if (levels.includes('error') && cells.length < 2)
      faults.push({ ...at, text: `${event}: an error says what a person does about it` });
  }
  return faults;
}
