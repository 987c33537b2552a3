import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** Of the short run that every planted bug must be noticed by. */
export const SEED = 20_261_126;
const MAIN = join(import.meta.dirname, 'main.ts');
const PLANT = join(import.meta.dirname, 'planted', 'plant.ts');
const FLAGS = ['--conditions=source', '--disable-warning=ExperimentalWarning'];

/** Nobody else would end a run that a planted bug sends round in circles. */
const LIMIT_MS = 110_000;

/** What the fuzzer says in a process whose code has the bug, or (null) is as it is. */
export const output = (bug: string | null, args: readonly (string | number)[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, UNDERSTUDY_PLANTED_BUG: bug ?? '', NODE_OPTIONS: '' };
    const all = [...FLAGS, ...(bug === null ? [] : ['--import', PLANT]), MAIN, ...args.map(String)];
    execFile(process.execPath, all, { env, timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (_, text, errors) => {
      if (text === '') reject(new Error(`${bug}: no result: ${errors.slice(0, 2_000)}`));
      else resolve(text);
    });
  });
