import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, sourcesOf } from './rooms.ts';

/** `a/{b,c}.ts` as two paths. */
const expanded = (path: string): string[] => {
  const braces = /^(.*)\{([^{}]+)\}(.*)$/.exec(path);
  if (!braces) return [path];
  const [, before = '', names = '', after = ''] = braces;
  return names.split(',').flatMap((name) => expanded(`${before}${name.trim()}${after}`));
};

/** Folders below which the paths begin. The first that fits counts. */
const BASES = ['packages', 'packages/coordinator/src', 'packages/agent/src', 'packages/shared/src'];

function placed(path: string, beside: string): string | null {
  const candidates = [...BASES.map((base) => `${base}/${path}`), ...(beside === '' ? [] : [`${beside}/${path}`])];
  return candidates.find((one) => existsSync(join(ROOT, one))) ?? null;
}

/** Files named on a rule's "Enforced by" line. A folder stands for the files in it. */
export function filesInCell(cell: string): readonly string[] {
  const found: string[] = [];
  let beside = '';
  for (const [, code = ''] of cell.matchAll(/`([^`]+)`/g)) {
    if (!/[/.]/.test(code)) continue;
    for (const path of expanded(code)) {
      const at = placed(path, beside);
      if (at === null) continue;
      beside = statSync(join(ROOT, at)).isDirectory() ? at : dirname(at);
      found.push(...(at === beside ? sourcesOf([`${at}/*.ts`]) : [at]));
    }
  }
  return [...new Set(found)];
}

const SECTION = /^### (S\d+): .*$/gm;
const ENFORCED = /^- \*Enforced by\*: ((?:.*\n)(?: {2}.*\n)*)/m;

/** Rule → files, from the sections of docs/SPEC.md, so that the two cannot drift apart. */
export function rulesOf(
  spec = readFileSync(join(ROOT, 'docs', 'SPEC.md'), 'utf8'),
): ReadonlyMap<string, readonly string[]> {
  const sections = [...spec.matchAll(SECTION)];
  return new Map(
    sections.map(({ 1: rule = '', index }, nth) => {
      const text = spec.slice(index, sections[nth + 1]?.index);
      return [rule, filesInCell(ENFORCED.exec(text)?.[1] ?? '')];
    }),
  );
}
