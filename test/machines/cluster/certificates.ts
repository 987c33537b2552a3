import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Seat } from './seats.ts';

const DAYS = '2';

/**
 * Makes `ca.pem`, and for each seat `ID.pem` and `ID.key` for its address, good for servers and
 * clients: etcd's peers and clients, and the coordinator.
 */
export function makeCertificates(folder: string, seats: readonly Seat[]): void {
  mkdirSync(folder, { recursive: true });
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', DAYS, '-subj', '/CN=machines');
  for (const { id, address } of seats) {
    const names = `subjectAltName=IP:${address},IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n`;
    writeFileSync(join(folder, `${id}.ext`), names);
    openssl('req', ...key, '-keyout', `${id}.key`, '-out', `${id}.csr`, '-subj', `/CN=${id}`);
    const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', DAYS, '-extfile', `${id}.ext`];
    openssl('x509', '-req', '-in', `${id}.csr`, '-out', `${id}.pem`, ...sign);
  }
}
