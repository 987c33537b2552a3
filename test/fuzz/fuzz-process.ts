import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** Seed of the short run by which every planted bug must be noticed. */
export const SEED = 20_261_126;
const MAIN = join(import.meta.dirname, 'main.ts');
const PLANT = join(import.meta.dirname, 'planted', 'plant.ts');
const FLAGS = ['--conditions=source', '--disable-warning=ExperimentalWarning'];

/** Nothing else would end a run that a planted bug sends into an endless loop. */
const LIMIT_MS = 110_000;

/** Output of the fuzzer in a process whose code has the bug, or (null) is as it is. */
export const output = (bug: string | null, args: readonly (string | number)[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, UNDERSTUDY_PLANTED_BUG: bug ?? '', NODE_OPTIONS: '' };
    const all = [...FLAGS, ...(bug === null ? [] : ['--import', PLANT]), MAIN, ...args.map(String)];
    execFile(process.execPath, all, { env, timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (_, text, errors) => {
      if (text === '') reject(new Error(`${bug}: no result: ${errors.slice(0, 2_000)}`));
      else resolve(text);
    });
  });
