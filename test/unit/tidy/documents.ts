import { posix } from 'node:path';
import type { SourceFile, Violation } from './source.ts';

/** Pages that are named by their path from the project's root, in code as in docs. */
const NAMED_PAGE = /\b(?:docs|model)\/[\w./-]+?\.md\b/g;
const LINK = /\]\((?!https?:|#)([^)#\s]+\.md)(?:#[^)]*)?\)/g;

/** Examples of rules that are about pages. */
const SHOWS_EXAMPLES = /^test\/unit\/(?:tidy|documents)/;

function pagesOf({ path, text }: SourceFile): readonly { readonly page: string; readonly line: number }[] {
  return text.split('\n').flatMap((row, index) => {
    const named = [...row.matchAll(NAMED_PAGE)].map(([page]) => page);
    const linked = path.endsWith('.md') ? [...row.matchAll(LINK)].map(([, link = '']) => link) : [];
    const resolved = linked.map((link) => posix.join(posix.dirname(path), link));
    return [...named.filter((page) => !linked.some((link) => link.endsWith(page))), ...resolved].map((page) => ({
      page,
      line: index + 1,
    }));
  });
}

/** Every page that is named or linked to must be in the repository. */
export const danglingPages = (files: readonly SourceFile[], paths: readonly string[]): Violation[] => {
  const there = new Set(paths);
  return files
    .filter(({ path }) => !SHOWS_EXAMPLES.test(path))
    .flatMap((file) =>
      pagesOf(file)
        .filter(({ page }) => !there.has(page))
        .map(({ page, line }) => ({ path: file.path, line, text: `${page} is not in the repository: say it here` })),
    );
};
