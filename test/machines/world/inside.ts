import { execFile } from 'node:child_process';

const LIMIT_MS = 60_000;
const OUTPUT_MAX_BYTES = 4_194_304;

export interface Outcome {
  /** Null: a signal or the time limit ended it. */
  readonly code: number | null;
  readonly output: string;
}

/**
 * Runs a command inside a machine, in all its namespaces, as root. `first` is its process 1 as seen
 * from here.
 */
export function runInMachine(first: number, command: readonly string[], limitMs = LIMIT_MS): Promise<Outcome> {
  const args = ['--target', String(first), '--all', '--', ...command];
  return new Promise((resolve) => {
    execFile('nsenter', args, { timeout: limitMs, maxBuffer: OUTPUT_MAX_BYTES }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, output: `${stdout}${stderr}`.trim() });
    });
  });
}
