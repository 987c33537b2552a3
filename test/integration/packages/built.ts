import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../../scripts/package.mjs', import.meta.url));

/** Builds packages for x64 as `npm run package` does, quickly; returns their folder. */
export function builtPackages(version: string, only: string): string {
  const out = mkdtempSync(join(tmpdir(), 'understudy-packages-'));
  const args = [SCRIPT, '--fast', '--only', only, '--package-version', version, '--out', out];
  const built = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 300_000 });
  if (built.status !== 0) throw new Error(`npm run package: ${built.stdout}${built.stderr}`);
  return out;
}
