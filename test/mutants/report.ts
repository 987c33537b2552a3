import * as z from 'zod';

const position = z.object({ line: z.number(), column: z.number() });

/** The part of Stryker's JSON report (mutation-testing-report-schema 2) that is read. */
export const StrykerReportSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.string(),
      mutants: z.array(
        z.object({
          id: z.string(),
          mutatorName: z.string(),
          replacement: z.string().optional(),
          status: z.string(),
          location: z.object({ start: position, end: position }),
        }),
      ),
    }),
  ),
});

export interface TriedMutant {
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  /** White space in a row is one blank, so that a formatter changes nothing. */
  readonly original: string;
  readonly replacement: string;
  /** The line it begins on, trimmed. */
  readonly context: string;
  /**
   * `killed` by a failing test or by a time-out. `uncovered`: no test runs it. `void`: it does not
   * load.
   */
  readonly outcome: 'killed' | 'survived' | 'uncovered' | 'void' | 'ignored';
}

const OUTCOMES: Readonly<Record<string, TriedMutant['outcome']>> = {
  Killed: 'killed',
  Timeout: 'killed',
  Survived: 'survived',
  NoCoverage: 'uncovered',
  CompileError: 'void',
  RuntimeError: 'void',
};

export const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();

type Position = z.infer<typeof position>;

function between(lines: readonly string[], start: Position, end: Position): string {
  if (start.line === end.line) return (lines[start.line - 1] ?? '').slice(start.column - 1, end.column - 1);
  const first = (lines[start.line - 1] ?? '').slice(start.column - 1);
  return [first, ...lines.slice(start.line, end.line - 1), (lines[end.line - 1] ?? '').slice(0, end.column - 1)].join(
    '\n',
  );
}

/** Every mutant of a report, in the order of files and lines. */
export const triedOf = (json: unknown): readonly TriedMutant[] =>
  Object.entries(StrykerReportSchema.parse(json).files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants.map(({ mutatorName, replacement, status, location }) => ({
      file,
      line: location.start.line,
      mutator: mutatorName,
      original: plain(between(lines, location.start, location.end)),
      replacement: plain(replacement ?? ''),
      context: plain(lines[location.start.line - 1] ?? ''),
      outcome: OUTCOMES[status] ?? 'ignored',
    }));
  });
