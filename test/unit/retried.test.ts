import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RETRIED_FILE, type Retried, retriedLines } from '../../scripts/retried-reporter.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

it('a test that passes only when it is run again is named, with how it failed before', () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy retried '));
  try {
    const file = join(folder, 'retried.json');
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    const reporter = `--reporter=${join(ROOT, 'scripts', 'retried-reporter.mjs')}`;
    const where = join(ROOT, 'test', 'fixtures', 'retried');
    execFileSync(process.execPath, [vitest, 'run', '--root', where, reporter], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], NO_COLOR: '1', [RETRIED_FILE]: file },
      stdio: 'pipe',
    });
    const retried = JSON.parse(readFileSync(file, 'utf8')) as Retried[];
    expect(retried).toMatchObject([{ name: 'fails first and passes then', retries: 1 }]);
    expect(retriedLines(retried)[0]).toBe('1 passed only when run again:');
    expect(retriedLines(retried)[1]).toContain('once-more.fixture.ts > fails first and passes then (1 more time)');
    expect(retriedLines(retried)[1]).toContain('the first time');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('nothing is said where nothing was run again', () => {
  expect(retriedLines([])).toEqual([]);
});
