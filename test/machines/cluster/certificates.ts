import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Seat } from './seats.ts';

const UNDERSTUDY = fileURLToPath(new URL('../../../scripts/understudy.mjs', import.meta.url));
const LIMIT_MS = 120_000;

function certs(...args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [UNDERSTUDY, 'certs', ...args], { timeout: LIMIT_MS }, (error, _, stderr) =>
      error === null ? resolve() : reject(new Error(`understudy certs ${args.join(' ')}: ${stderr}`)),
    );
  });
}

/**
 * Makes two authorities and what each seat needs of them, as docs/certificates.md says: its etcd
 * member's certificate, its coordinator's for etcd, and that of its HTTPS.
 */
export async function makeCertificates(folder: string, seats: readonly Seat[]): Promise<void> {
  await certs('init', folder);
  for (const { id, address } of seats) {
    await certs('issue', folder, 'etcd-member', `etcd-${id}`, '--san', address, '--san', '127.0.0.1');
    await certs('issue', folder, 'etcd-client', id);
    await certs('issue', folder, 'coordinator', id, '--san', address);
  }
}
