import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const NAME = 'understudy-tests-';

/** Is it the folder of a run, so that all in it goes with the run? */
export const isOfARun = (folder: string): boolean => basename(folder).startsWith(NAME);

/**
 * Vitest's global set-up of every project: whatever tests, and the processes they start, put into
 * the temporary directory lies in one folder, which goes when the tests are over. So no test leaves
 * anything behind, whoever forgets to remove it, and however it ends. What a run that was killed
 * has left goes with the next run.
 */
export default function setUp(): (() => void) | undefined {
  // Another project of the same run has been here.
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

/** Of runs whose process is no more. */
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
    // One of somebody else's may not be asked, and lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * A process of a test may write its last words meanwhile; what cannot go is left to the next run.
 */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch {
    // Somebody else's file, say: no reason to fail tests that passed.
  }
}
