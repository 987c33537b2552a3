import { readFileSync } from 'node:fs';
import { PROBLEM_REMEDIES } from '@understudy/shared';
import { expect, it } from 'vitest';

/** What the documentation says and what the program says are compared, so that neither can be changed alone. */

const root = new URL('../../', import.meta.url);
const page = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The text below a heading, up to the next one of the same rank. */
function sectionOf(markdown: string, heading: string): string {
  const [, after = ''] = markdown.split(`\n## ${heading}\n`);
  return after.split('\n## ')[0] ?? '';
}

/** Every `code` in the first column of the tables of a section, in order. */
const firstColumn = (section: string): readonly string[] =>
  section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));

it('every problem code is documented, once, and no other', () => {
  const documented = firstColumn(sectionOf(page('docs/coordinator.md'), 'Problems'));
  expect(documented.toSorted()).toEqual(Object.keys(PROBLEM_REMEDIES).toSorted());
});
