import { VERBLESS_OPENINGS } from './exceptions.ts';
import type { SourceFile, Violation } from './source.ts';

const CODE = /^(?:packages|test)\/.*\.(?:ts|tsx|mts|mjs)$/;
/** What stands before the words of a comment, in its first row or in a further one. */
const MARK = /^\s*(?:\/\*\*?|\/\/|\*(?!\/))\s*/;
const LINE_COMMENT = /^\s*\/\//;
const BARE_OPENING = /^\s*\/\*\*?\s*$/;
const VERBLESS = /^(?:Of|Whom|Whose|So long|Nor|By whom|In what)\b/;

/** Rows in which the words of a comment begin. */
function openings({ text, code }: SourceFile): readonly number[] {
  const rows = text.split('\n');
  const codeRows = code.split('\n');
  const isComment = (at: number): boolean => MARK.test(rows[at] ?? '') && (codeRows[at] ?? '').trim() === '';
  return [...rows.keys()].filter((at) => {
    if (!isComment(at)) return false;
    const row = rows[at] ?? '';
    const before = rows[at - 1] ?? '';
    if (LINE_COMMENT.test(row)) return !LINE_COMMENT.test(before);
    return row.trim().startsWith('*') ? BARE_OPENING.test(before) : !BARE_OPENING.test(row);
  });
}

const isVerbless = (row: string): boolean => VERBLESS.test(row.replace(MARK, ''));

/**
 * A comment begins with a subject. Files that had other openings when the rule came are listed with
 * their number, which may only become less.
 */
export const subjectFirst = (
  files: readonly SourceFile[],
  allowed: Readonly<Record<string, number>> = VERBLESS_OPENINGS,
): Violation[] =>
  files
    .filter(({ path }) => CODE.test(path))
    .flatMap((file) => {
      const { path } = file;
      const rows = file.text.split('\n');
      const found = openings(file).filter((at) => isVerbless(rows[at] ?? ''));
      const limit = allowed[path] ?? 0;
      if (found.length < limit)
        return [
          { path, line: 1, text: `${found.length} verbless openings, ${limit} allowed: lower that in exceptions.ts` },
        ];
      if (found.length === limit) return [];
      return found.map((at) => ({
        path,
        line: at + 1,
        text: 'begin the comment with its subject: subject, verb, full stop',
      }));
    });
