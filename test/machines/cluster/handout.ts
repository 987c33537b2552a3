import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureEtcd } from '../../../scripts/etcd.mjs';
import { makeCertificates } from './certificates.ts';
import type { Seat } from './seats.ts';

const PACKAGE = fileURLToPath(new URL('../../../scripts/package.mjs', import.meta.url));
const BUILD_LIMIT_MS = 300_000;

/** What a person has prepared before the first machine is launched. */
export interface Handout {
  readonly folder: string;
  readonly master: Uint8Array;
  readonly token: string;
}

/** Builds what is shipped, as another version where one is given. */
export function build(words: readonly string[], out: string, version?: string): void {
  const args = [...words.flatMap((word) => ['--only', word]), '--fast', '--out', out];
  const { status, stderr } = spawnSync(
    process.execPath,
    [PACKAGE, ...args, ...(version === undefined ? [] : ['--package-version', version])],
    { encoding: 'utf8', timeout: BUILD_LIMIT_MS },
  );
  if (status !== 0) throw new Error(`packaging ${words.join(', ')}: ${stderr}`);
}

/** The folder that all machines see as `/mnt/cluster`. */
export async function makeHandout(folder: string, seats: readonly Seat[]): Promise<Handout> {
  for (const each of ['bin', 'artefacts', 'packages']) mkdirSync(join(folder, each), { recursive: true });
  copyFileSync(await ensureEtcd(), join(folder, 'bin', 'etcd'));
  makeCertificates(join(folder, 'tls'), seats);
  const master = randomBytes(32);
  const token = randomBytes(32).toString('hex');
  writeFileSync(join(folder, 'master.key'), `${master.toString('hex')}\n`);
  writeFileSync(join(folder, 'operator.token'), `${token}\n`);
  build(['agent', 'tarball', 'x64'], join(folder, 'artefacts'));
  return { folder, master, token };
}
