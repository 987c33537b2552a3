import { WIDER_THAN_IT_SHOULD } from './exceptions.ts';
import type { SourceFile, Violation } from './source.ts';

/** Width of comments, and of prose in Markdown. The formatter decides on code. */
export const PROSE_COLUMNS = 100;

const CODE = /\.(?:ts|tsx|mts|mjs)$/;
const COMMENT = /^\s*(?:\/\/|\/\*|\*(?:\s|\/|$))/;
/** Rows of tables, headings and link targets cannot be wrapped. */
const ONE_LINE = /^\s*(?:\* )?(?:\||#|\[[^\]]+\]:)/;
const FENCE = /^\s*(?:```|~~~)/;
/** A list's mark, then one word or link that is as long as it is. */
const ONE_WORD = /^\s*(?:\/\/|\*|\/\*\*|[-*]|\d+\.)?\s*\S+$/;

const isWide = (row: string): boolean => row.length > PROSE_COLUMNS && !ONE_WORD.test(row);

function wideRows({ path, text, code }: SourceFile): readonly number[] {
  const rows = text.split('\n');
  if (CODE.test(path)) {
    const codeRows = code.split('\n');
    return rows.flatMap((row, at) =>
      isWide(row) && COMMENT.test(row) && !ONE_LINE.test(row) && (codeRows[at] ?? '').trim() === '' ? [at + 1] : [],
    );
  }
  let fenced = false;
  return rows.flatMap((row, at) => {
    if (FENCE.test(row)) fenced = !fenced;
    return !fenced && isWide(row) && !ONE_LINE.test(row) ? [at + 1] : [];
  });
}

/**
 * Comments and prose wrap at 100 columns. What was wider when the rule came is listed, and may only
 * become less.
 */
export const narrowProse = (
  files: readonly SourceFile[],
  allowed: Readonly<Record<string, number>> = WIDER_THAN_IT_SHOULD,
): Violation[] =>
  files
    .filter(({ path }) => CODE.test(path) || path.endsWith('.md'))
    .flatMap((file) => {
      const { path } = file;
      const rows = wideRows(file);
      const limit = allowed[path] ?? 0;
      if (rows.length < limit)
        return [{ path, line: 1, text: `${rows.length} wide lines, ${limit} allowed: lower that in exceptions.ts` }];
      if (rows.length === limit) return [];
      return rows.map((line) => ({ path, line, text: `wider than ${PROSE_COLUMNS} columns: wrap the sentence` }));
    });
