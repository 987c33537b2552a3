import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { TokenRole } from '@understudy/shared';
import type { Caller } from './caller.ts';

/** One line of `http.tls.clients`: whoever holds a certificate with this name has this role. */
export interface CertificateRole {
  /** `CN=…`, or a subject alternative name as `DNS:…`, `URI:…`, `email:…`. */
  readonly subject: string;
  readonly name: string;
  readonly role: TokenRole;
  readonly groups?: readonly string[] | undefined;
}

/**
 * The names in a certificate. Alternative names that need quotes (a comma, a quote or a control
 * character in them) name nobody here: telling them apart by text has gone wrong before
 * (CVE-2021-44532).
 */
export function subjectsOf(subject: string | undefined, alternativeNames: string | undefined): readonly string[] {
  const alternative = alternativeNames ?? '';
  const names = alternative.includes('"') || alternative === '' ? [] : alternative.split(', ');
  const commonNames = (subject ?? '').split('\n').filter((line) => line.startsWith('CN='));
  // A certificate with alternative names is judged by those, as TLS does with servers.
  return alternative === '' && commonNames.length === 1 ? commonNames : names;
}

/** Who a list of names is. Null: nobody. */
export function holderOf(subjects: readonly string[], roles: readonly CertificateRole[]): Caller | null {
  const found = roles.find(({ subject }) => subjects.includes(subject));
  if (!found) return null;
  const { name, role, groups } = found;
  const shown = { via: 'certificate', passedOnBy: null } as const;
  return { id: `certificate:${name}`, name, role, groups: groups === undefined ? null : [...groups], ...shown };
}

/**
 * The holder of the client certificate of a connection. Null: there is none, nobody vouches for it
 * (unknown issuer, expired), or it names nobody.
 */
export function certificateHolder({ socket }: IncomingMessage, roles: readonly CertificateRole[]): Caller | null {
  if (roles.length === 0 || !(socket instanceof TLSSocket) || !socket.authorized) return null;
  const certificate = socket.getPeerX509Certificate();
  return certificate ? holderOf(subjectsOf(certificate.subject, certificate.subjectAltName), roles) : null;
}
