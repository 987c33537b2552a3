import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RETRIED_FILE, type Retried, retriedLines } from '../../scripts/retried-reporter.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CACHE = join(ROOT, '.cache');

const TESTS = `import { expect, test } from 'vitest';
let runs = 0;
test('fails first and passes then', () => { runs += 1; expect(runs, 'the first time').toBe(2); });
test('passes at once', () => expect(runs).toBe(2));
`;
const CONFIG = `export default { test: { include: ['*.test.mjs'], retry: 1, fsModuleCache: false } };\n`;

it('a test that passes only when it is run again is named, with how it failed before', () => {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'retried '));
  try {
    writeFileSync(join(folder, 'once-more.test.mjs'), TESTS);
    writeFileSync(join(folder, 'vitest.config.mjs'), CONFIG);
    const file = join(folder, 'retried.json');
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const reporter = `--reporter=${join(ROOT, 'scripts', 'retried-reporter.mjs')}`;
    const env = { PATH: process.env['PATH'], NO_COLOR: '1', [RETRIED_FILE]: file };
    execFileSync(process.execPath, [vitest, 'run', '--root', folder, reporter], { cwd: folder, env, stdio: 'pipe' });
    const retried = JSON.parse(readFileSync(file, 'utf8')) as Retried[];
    expect(retried).toMatchObject([{ name: 'fails first and passes then', retries: 1 }]);
    const [head, line] = retriedLines(retried);
    expect(head).toBe('1 passed only when run again:');
    expect(line).toContain('once-more.test.mjs > fails first and passes then (1 more time): first ');
    expect(line).toContain('the first time');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('nothing is said where nothing was run again', () => {
  expect(retriedLines([])).toEqual([]);
});
