import type { Seat } from './seats.ts';
import { understudy } from './understudy.ts';

/**
 * Makes two authorities and what each seat needs of them, as docs/certificates.md says: its etcd
 * member's certificate, its coordinator's for etcd, and that of its HTTPS.
 */
export async function makeCertificates(folder: string, seats: readonly Seat[]): Promise<void> {
  const issue = (...args: readonly string[]) => understudy('certs', 'issue', folder, ...args);
  await understudy('certs', 'init', folder);
  for (const { id, address } of seats) {
    await issue('etcd-member', `etcd-${id}`, '--san', address, '--san', '127.0.0.1');
    await issue('etcd-client', id);
    await issue('coordinator', id, '--san', address);
  }
}
