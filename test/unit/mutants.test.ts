import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applied } from '../mutants/edits.ts';
import { EQUIVALENTS } from '../mutants/equivalents.ts';
import { strykerPlugins } from '../mutants/ignore-words.mjs';
import { NAMED_MUTANTS } from '../mutants/named/index.ts';
import { type TriedMutant, triedOf } from '../mutants/report.ts';
import { ROOT, ROOMS, roomOf, scopeOf, sourcesOf } from '../mutants/rooms.ts';
import { filesInCell, rulesOf } from '../mutants/rules.ts';
import { type NamedMutant, tryNamed } from '../mutants/run-named.ts';
import { sampled } from '../mutants/sample.ts';
import { scoreOf, staleEquivalents } from '../mutants/score.ts';

describe('a named mutant', () => {
  let folder = '';
  beforeAll(() => {
    mkdirSync(join(ROOT, '.cache'), { recursive: true });
    folder = mkdtempSync(join(ROOT, '.cache', 'mutant '));
    writeFileSync(join(folder, 'limit.mjs'), 'export const mayStart = (leftMs, needMs) => leftMs > needMs;\n');
    writeFileSync(join(folder, 'unseen.mjs'), 'export const unseen = 1;\n');
    writeFileSync(
      join(folder, 'limit.test.ts'),
      `import { expect, test } from 'vitest';
import { mayStart } from './limit.mjs';
test('not when less is left than is needed', () => expect(mayStart(1, 2)).toBe(false));
`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const mutant = (find: string, replace: string, file = 'limit.mjs'): NamedMutant => ({
    ...{ name: 'planted', rule: 'S1', story: 'planted' },
    edits: [{ file, find, replace }],
    tests: ['limit.test.ts'],
  });

  it('that a test notices is killed, and the file on disk is as it was', async () => {
    const outcome = await tryNamed(mutant('leftMs > needMs', 'true'), folder);
    expect(outcome).toMatchObject({ kind: 'killed' });
    expect(JSON.stringify(outcome)).toContain('not when less is left than is needed');
    expect(readFileSync(join(folder, 'limit.mjs'), 'utf8')).toContain('leftMs > needMs');
  });

  it('that no test notices survives, and is said to', async () => {
    expect(await tryNamed(mutant('leftMs > needMs', 'leftMs >= needMs'), folder)).toEqual({ kind: 'survived' });
  });

  it('that does not apply, or applies twice, or is loaded by no test, says nothing about the tests', async () => {
    const gone = await tryNamed(mutant('leftMs < needMs', 'true'), folder);
    expect(gone).toMatchObject({ kind: 'void', text: expect.stringContaining('0 places') });
    const twice = await tryNamed(mutant('needMs', 'leftMs'), folder);
    expect(twice).toMatchObject({ kind: 'void', text: expect.stringContaining('2 places') });
    const unseen = await tryNamed(mutant('= 1', '= 2', 'unseen.mjs'), folder);
    expect(unseen).toEqual({ kind: 'void', text: 'no test loads unseen.mjs' });
  });

  it.each(NAMED_MUTANTS.map((one) => [one.name, one] as const))('%s can be planted', (_name, one) => {
    for (const edit of one.edits)
      expect(() => applied(readFileSync(join(ROOT, edit.file), 'utf8'), edit)).not.toThrow();
    for (const test of one.tests) expect(existsSync(join(ROOT, test)), test).toBe(true);
    expect([...rulesOf().keys()]).toContain(one.rule);
  });
});

describe('the scope', () => {
  it('is what the table of rules names: every rule leads to files that are there', () => {
    const rules = rulesOf();
    expect(rules.size).toBeGreaterThanOrEqual(17);
    for (const [rule, files] of rules) expect(files.length, `${rule} leads to no file`).toBeGreaterThan(0);
    expect(rules.get('S7')).toContain('packages/recovery/src/steps/revoke.ts');
    expect(rules.get('S14')).toContain('packages/recovery/src/steps/verify.ts');
    expect(rules.get('S2')).toContain('packages/shared/src/term/guarded-commit.ts');
  });

  it('reads braces, names beside the last one, and folders', () => {
    const files = filesInCell(
      '`observer/src/core/key-change.ts`, `failure-detector.ts`; the `needs` column; `agent/src/core`',
    );
    expect(files.slice(0, 2)).toEqual(
      ['key-change', 'failure-detector'].map((one) => `packages/observer/src/core/${one}.ts`),
    );
    expect(files).toContain('packages/agent/src/core/activation.ts');
    expect(files.some((file) => file.includes('.test.'))).toBe(false);
  });

  it('puts a file into one room, and no room is empty', () => {
    for (const room of ROOMS) expect(sourcesOf(room.files).length, room.name).toBeGreaterThan(0);
    expect(roomOf('packages/recovery/src/steps/serve-lease-fence.ts')?.name).toBe('leases');
    expect(roomOf('packages/recovery/src/steps/revoke.ts')?.name).toBe('recovery-steps');
    expect(scopeOf(['packages/cli/src/main.ts']).homeless).toEqual(['packages/cli/src/main.ts']);
  });

  it('is sampled by the seed: the same one the same stretches, another one others', () => {
    const { scope } = scopeOf(ROOMS.flatMap((room) => sourcesOf(room.files)));
    const chosen = (seed: number) => [...sampled(scope, 20, seed).values()].flat();
    expect(chosen(1)).toHaveLength(20);
    expect(chosen(1)).toEqual(chosen(1));
    expect(chosen(1)).not.toEqual(chosen(2));
    expect(chosen(1)[0]).toMatch(/^packages\/.*\.ts:\d+-\d+$/);
  });
});

describe('the score', () => {
  const report = {
    files: {
      'a.ts': {
        source: 'const may = left > need;\nreturn may\n  && held;\n',
        mutants: [
          ['1', 'EqualityOperator', 'left >= need', 'Survived', [1, 13], [1, 24]],
          ['2', 'ConditionalExpression', 'true', 'Killed', [1, 13], [1, 24]],
          ['3', 'LogicalOperator', 'may || held', 'NoCoverage', [2, 8], [3, 10]],
          ['4', 'ConditionalExpression', 'false', 'Timeout', [1, 13], [1, 24]],
          ['5', 'BlockStatement', '{}', 'RuntimeError', [1, 1], [1, 2]],
        ].map(([id, mutatorName, replacement, status, start, end]) => ({
          ...{ id, mutatorName, replacement, status },
          location: {
            start: { line: (start as number[])[0], column: (start as number[])[1] },
            end: { line: (end as number[])[0], column: (end as number[])[1] },
          },
        })),
      },
    },
  };
  const tried: readonly TriedMutant[] = triedOf(report);

  it('is killed of all that could be killed; a time-out kills, what does not load does not count', () => {
    const score = scoreOf(tried, []);
    expect(score).toMatchObject({ killed: 2, counted: 4, percent: 50, equivalents: 0, void: 1 });
    expect(score.survivors.map(({ original, line }) => [original, line])).toEqual([
      ['left > need', 1],
      ['may && held', 2],
    ]);
  });

  it('leaves out what is listed as equivalent, found by what it says and not by its line', () => {
    const one = { file: 'a.ts', on: 'const may', replacement: 'left >= need', why: 'planted' };
    expect(scoreOf(tried, [one])).toMatchObject({ counted: 3, equivalents: 1 });
    const other = { ...one, replacement: 'left <= need' };
    expect(scoreOf(tried, [other]).counted).toBe(4);
    expect(scoreOf(tried, [{ ...one, original: 'left > need' }]).counted).toBe(3);
    expect(scoreOf(tried, [{ ...one, original: 'left' }]).counted).toBe(4);
    expect(staleEquivalents(tried, [one, other, { ...one, file: 'b.ts' }])).toEqual([other]);
  });

  it('no equivalent is listed without an argument, nor for a file that is gone', () => {
    for (const { file, on, why } of EQUIVALENTS) {
      expect(why.length, on).toBeGreaterThan(20);
      expect(readFileSync(join(ROOT, file), 'utf8').replace(/\s+/g, ' ')).toContain(on);
    }
  });

  it('leaves words alone: log lines are no behaviour', () => {
    const [plugin] = strykerPlugins;
    const call = (name: string) => ({
      node: { type: 'CallExpression', callee: { type: 'MemberExpression', property: { type: 'Identifier', name } } },
      isExpressionStatement: () => false,
    });
    expect(plugin?.value.shouldIgnore(call('warn'))).toBe('only said');
    expect(plugin?.value.shouldIgnore(call('commit'))).toBeUndefined();
  });
});
