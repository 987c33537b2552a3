import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureEtcd } from '../../../scripts/etcd.mjs';
import { makeCertificates } from './certificates.ts';
import { coordinatorConfig } from './coordinator-machine.ts';
import type { Seat } from './seats.ts';

const PACKAGE = fileURLToPath(new URL('../../../scripts/package.mjs', import.meta.url));
const BUILD_LIMIT_MS = 300_000;

/** What a person has prepared before the first machine is launched. */
export interface Handout {
  readonly folder: string;
  readonly master: Uint8Array;
  readonly token: string;
}

/**
 * Builds what is shipped (docs/packaging.md), quickly and large: into `out`, as another version
 * where one is given.
 */
export function build(words: readonly string[], out: string, version?: string): Promise<void> {
  const args = [...words.flatMap((word) => ['--only', word]), '--fast', '--out', out];
  const versioned = version === undefined ? args : [...args, '--package-version', version];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [PACKAGE, ...versioned], { timeout: BUILD_LIMIT_MS }, (error, _, stderr) =>
      error === null ? resolve() : reject(new Error(`packaging ${words.join(', ')}: ${stderr}`)),
    );
  });
}

/** The folder that all machines see as `/mnt/cluster`. */
export async function makeHandout(folder: string, seats: readonly Seat[]): Promise<Handout> {
  for (const each of ['bin', 'artefacts', 'packages']) mkdirSync(join(folder, each), { recursive: true });
  copyFileSync(await ensureEtcd(), join(folder, 'bin', 'etcd'));
  const master = randomBytes(32);
  const token = randomBytes(32).toString('hex');
  writeFileSync(join(folder, 'master.key'), `${master.toString('hex')}\n`);
  writeFileSync(join(folder, 'operator.token'), `${token}\n`);
  const packages = async () => {
    await build(['agent', 'tarball'], join(folder, 'artefacts'));
    await build(['coordinator', 'deb', 'x64'], join(folder, 'packages'));
  };
  await Promise.all([makeCertificates(join(folder, 'pki'), seats), packages()]);
  return { folder, master, token };
}

/** A version above that of this checkout. */
export const NEXT_VERSION = '99.0.0';

export async function buildNext(handout: Handout): Promise<void> {
  const folder = join(handout.folder, 'next');
  mkdirSync(folder, { recursive: true });
  await build(['agent', 'tarball', 'x64'], folder, NEXT_VERSION);
  await build(['coordinator', 'deb', 'x64'], folder, NEXT_VERSION);
}

/**
 * The folder of an operator who reaches etcd with the certificates of one seat. Returns a
 * configuration of that.
 */
export function operatorConfig(handout: Handout, folder: string, seats: readonly Seat[]): string {
  mkdirSync(folder, { recursive: true });
  const [seat] = seats;
  if (seat === undefined) throw new Error('a cluster has a seat');
  for (const name of ['master.key', 'operator.token']) copySecret(join(handout.folder, name), join(folder, name));
  for (const authority of ['etcd', 'api']) {
    mkdirSync(join(folder, 'tls', authority), { recursive: true });
    for (const [from, to] of [
      ['ca.pem', 'ca.pem'],
      [`${seat.id}.pem`, 'host.pem'],
      [`${seat.id}.key`, 'host.key'],
    ] as const)
      copySecret(join(handout.folder, 'pki', authority, from), join(folder, 'tls', authority, to));
  }
  const path = join(folder, 'coordinator.yaml');
  writeFileSync(path, coordinatorConfig(seat, seats, folder));
  return path;
}

function copySecret(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
}
