import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import setUp, { isOfARun, removeAbandoned } from '../temporary-folder.ts';
import { ROOT } from './tidy/source.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('what tests put into the temporary directory', () => {
  test('lies in the folder of this run, also what their processes put there', () => {
    expect(isOfARun(tmpdir())).toBe(true);
    const child = spawnSync(process.execPath, ['-p', 'os.tmpdir()'], { encoding: 'utf8' });
    expect(child.stdout.trim()).toBe(tmpdir());
  });

  test('is so in every project', () => {
    const config = readFileSync(join(ROOT, 'vitest.config.ts'), 'utf8');
    const projects = config.split(/^ {10}name: /m).slice(1);
    expect(projects.length).toBeGreaterThanOrEqual(3);
    for (const project of projects) expect(project).toMatch(/globalSetup: \[[^\]]*'test\/temporary-folder\.ts'/);
  });

  test('goes with the run, whatever is in it', () => {
    const outside = mkdtempSync(join(tmpdir(), 'outside '));
    vi.stubEnv('TMPDIR', outside);
    const tearDown = setUp();
    const folder = tmpdir();
    expect([folder.startsWith(outside), isOfARun(folder), setUp()]).toEqual([true, true, undefined]);
    mkdirSync(join(folder, 'forgotten', 'by a test'), { recursive: true });
    writeFileSync(join(folder, 'forgotten', 'file'), 'x');
    tearDown?.();
    expect([existsSync(folder), tmpdir()]).toEqual([false, outside]);
  });

  test('of a run that was killed goes with the next one; of one that runs it stays', () => {
    const parent = mkdtempSync(join(tmpdir(), 'parent-'));
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const names = [`understudy-tests-${dead}-a`, `understudy-tests-${process.pid}-b`, 'somebody-elses'];
    for (const name of names) mkdirSync(join(parent, name, 'in it'), { recursive: true });
    removeAbandoned(parent);
    expect(names.map((name) => existsSync(join(parent, name)))).toEqual([false, true, true]);
  });
});
