import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const listed = (pattern: string): readonly string[] =>
  execFileSync('git', ['ls-files', pattern], { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean);

/** The pages a page links to, from the root of the repository. */
function linksOf(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/\]\((?!\w+:)([^)#\s]+)/g)].map(({ 1: to = '' }) => normalize(join(dirname(page), to)));
}

test("every page of the docs' root is one click from README", () => {
  const near = new Set(linksOf('README.md'));
  expect(listed(':(glob)docs/*.md').filter((page) => !near.has(page))).toEqual([]);
});

test('every page of a folder of the docs is linked from some page', () => {
  const linked = new Set(listed('*.md').flatMap(linksOf));
  const inFolders = listed('docs/**/*.md').filter((page) => !page.startsWith('docs/decisions/'));
  expect(inFolders.filter((page) => !linked.has(page))).toEqual([]);
});

test('each link between pages leads somewhere', () => {
  const known = new Set(listed('*'));
  const folders = new Set(
    [...known].flatMap((path) => path.split('/').map((_, at, all) => all.slice(0, at).join('/'))),
  );
  const dead = listed('*.md').flatMap((page) =>
    linksOf(page)
      .map((to) => to.replace(/\/$/, ''))
      .filter((to) => !known.has(to) && !folders.has(to))
      .map((to) => `${page} → ${to}`),
  );
  expect(dead).toEqual([]);
});
