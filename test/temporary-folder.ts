import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const NAME = 'understudy-tests-';

/** True for the folder of a run, so that all in it goes with the run. */
export const isOfARun = (folder: string): boolean => basename(folder).startsWith(NAME);

/**
 * Vitest's global set-up of every project. Everything that tests, and the processes they start, put
 * into the temporary directory lies in one folder, which is removed when the tests are over. So no
 * test leaves anything behind, whatever it forgets to remove, and however it ends. The next run
 * removes what a killed run has left.
 */
export default function setUp(): (() => void) | undefined {
  // Another project of the same run has set it up already.
  if (isOfARun(tmpdir())) return undefined;
  const outside = process.env.TMPDIR;
  removeAbandoned(tmpdir());
  const folder = mkdtempSync(join(tmpdir(), `${NAME}${process.pid}-`));
  process.env.TMPDIR = folder;
  return () => {
    if (outside === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outside;
    remove(folder);
  };
}

/** Removes the folders of runs whose process is gone. */
export function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${NAME}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(join(parent, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // We may not signal another user's process, so it lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * A process of a test may still write its last output meanwhile. What cannot be removed is left to
 * the next run.
 */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch {
    // Another user's file, for example, is no reason to fail tests that passed.
  }
}
