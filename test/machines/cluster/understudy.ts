import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../../scripts/understudy.mjs', import.meta.url));
const LIMIT_MS = 120_000;

/** Runs `understudy ARGS` here. Returns what it prints. @throws with its complaint */
export function understudy(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [COMMAND, ...args], { timeout: LIMIT_MS }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`understudy ${args.join(' ')}: ${stderr}`)),
    );
  });
}
