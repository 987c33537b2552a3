import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, test } from 'vitest';
import { ROOT } from './tidy/source.ts';

/**
 * Each lint rule we rely on is seen to fire: a rule that is silently off would look like clean
 * code.
 */
const PLANTED: Readonly<Record<string, string>> = {
  'no-floating-promises': 'export const f = (p: Promise<void>): void => {\n  p;\n};',
  'no-floating-promises (thenable)':
    'class Builder {\n  then(done: (value: number) => void, _failed: (why: unknown) => void): void {\n    done(1);\n  }\n}\nexport function f(): void {\n  new Builder();\n}',
  'no-misused-promises': 'export const f = (each: number[]): void => each.forEach(async (one) => void (await one));',
  'await-thenable': 'export const f = async (x: number): Promise<number> => await x;',
  'no-explicit-any': 'export const f = (x: any): unknown => x;',
  'no-non-null-assertion': 'export const f = (x: string | null): string => x!;',
  'switch-exhaustiveness-check':
    "export function f(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n      break;\n  }\n}",
  'no-unnecessary-type-assertion': 'export const f = (x: string): string => x as string;',
  'no-console': "export const f = (): void => console.log('x');",
  eqeqeq: 'export const f = (x: string | number): boolean => x == 1;',
  'max-lines-per-function': `export function f(): number {\n  let x = 0;\n${'  x += 1;\n'.repeat(70)}  return x;\n}`,
};

let folder = '';
let output = '';
const fileOf = (rule: string): string => `${rule.replaceAll(/\W+/g, '-')}.ts`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-lint-'));
  const compilerOptions = { target: 'es2024', module: 'nodenext', strict: true, noEmit: true, types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'clean.ts'), 'export const f = async (p: Promise<void>): Promise<void> => p;\n');
  for (const [rule, text] of Object.entries(PLANTED)) writeFileSync(join(folder, fileOf(rule)), `${text}\n`);
  const oxlint = join(ROOT, 'node_modules', '.bin', 'oxlint');
  const args = ['--type-aware', '--config', join(ROOT, '.oxlintrc.json'), '--format=unix', '.'];
  const result = spawnSync(oxlint, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  output = `${result.stdout}${result.stderr}`;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(Object.keys(PLANTED))('%s fires', (rule) => {
  const lines = output.split('\n').filter((line) => line.includes(fileOf(rule)));
  expect(lines.join('\n'), output).toContain(`(${rule.replace(/ .*/, '')})`);
});

it('clean code passes', () => {
  expect(output).not.toContain('clean.ts');
});
