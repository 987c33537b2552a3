import type { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '@understudy/shared';
import { AUTHORITY_NAMES, type AuthorityName, CERTIFICATE_KINDS, type KindName } from './certificate-kinds.ts';
import {
  authorityFolder,
  certificatesIn,
  type IssuedCertificate,
  issuedBy,
  readAuthority,
  trusted,
  writeAuthority,
  writePair,
  writeTrusted,
  type Writing,
} from './certificate-files.ts';
import { type Lifetime, makeAuthority, signLeaf } from './sign.ts';

/** Words of a file's name, and of a subject without quoting. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const nameOf = (authority: AuthorityName): string => `Understudy ${authority} authority`;

/**
 * Makes both authorities.
 * @throws CONFIG_INVALID where there is one, and `force` was not said
 */
export async function initAuthorities(dir: string, lifetime: Lifetime, writing: Writing): Promise<void> {
  const there = AUTHORITY_NAMES.map((name) => join(authorityFolder(dir, name), 'ca.key')).find((path) =>
    existsSync(path),
  );
  if (there !== undefined && !writing.force)
    throw new OperationError(
      'CONFIG_INVALID',
      `${there} is there already: what it signed would be trusted no more (understudy certs rotate-ca changes it in order)`,
    );
  for (const authority of AUTHORITY_NAMES)
    writeAuthority(dir, authority, await makeAuthority(nameOf(authority), lifetime), writing);
}

export interface IssueRequest {
  readonly kind: KindName;
  readonly name: string;
  readonly addresses: readonly string[];
}

/**
 * Signs a new certificate with a new key. Returns where it is.
 * @throws CONFIG_INVALID
 */
export async function issueCertificate(
  dir: string,
  { kind, name, addresses }: IssueRequest,
  lifetime: Lifetime,
  writing: Writing,
): Promise<string> {
  const { authority, uses, isServer } = CERTIFICATE_KINDS[kind];
  if (!NAME.test(name) || name === 'ca')
    throw new OperationError(
      'CONFIG_INVALID',
      `${name} is no name of a certificate: letters, digits, dot, dash, underscore`,
    );
  if (isServer && addresses.length === 0)
    throw new OperationError('CONFIG_INVALID', `a certificate of a ${kind} names what it is reached at: --san ADDRESS`);
  const pair = await signLeaf(readAuthority(dir, authority), { name, kind, uses, addresses }, lifetime);
  const folder = authorityFolder(dir, authority);
  writePair(folder, name, pair, writing);
  return join(folder, `${name}.pem`);
}

/** Less than a third of its life is left, or another authority signs by now. */
export function isDue({ certificate }: IssuedCertificate, signer: X509Certificate, nowWallMs: number): boolean {
  const [fromMs, untilMs] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  return untilMs - nowWallMs < (untilMs - fromMs) / 3 || !certificate.verify(signer.publicKey);
}

/** The authority that signs now. @throws CONFIG_INVALID */
function signerOf(dir: string, authority: AuthorityName): X509Certificate {
  const [signer] = trusted(dir, authority);
  if (signer !== undefined) return signer;
  throw new OperationError('CONFIG_INVALID', `${authorityFolder(dir, authority)}/ca.pem has no certificate`);
}

/**
 * Signs anew what is due, or all of it, with new keys and the same names. Returns which.
 * @throws CONFIG_INVALID
 */
export async function renewCertificates(
  dir: string,
  options: Lifetime & { readonly all: boolean },
): Promise<readonly string[]> {
  const renewed: string[] = [];
  for (const authority of AUTHORITY_NAMES) {
    const signer = signerOf(dir, authority);
    const due = issuedBy(dir, authority).filter((one) => options.all || isDue(one, signer, options.nowWallMs));
    for (const one of due) renewed.push(await issueCertificate(dir, one, options, { force: true }));
  }
  return renewed;
}

/**
 * Makes new authorities, which sign from now on, and keeps the present ones trusted.
 * @throws CONFIG_INVALID while a former one is still trusted
 */
export async function rotateAuthorities(dir: string, lifetime: Lifetime): Promise<void> {
  for (const authority of AUTHORITY_NAMES) {
    if (trusted(dir, authority).length > 1)
      throw new OperationError(
        'CONFIG_INVALID',
        `${authority}: a former authority is still trusted: end that rotation first (--finish)`,
      );
  }
  for (const authority of AUTHORITY_NAMES) {
    const former = signerOf(dir, authority);
    const made = await makeAuthority(nameOf(authority), lifetime);
    writeAuthority(dir, authority, made, { force: true });
    writeTrusted(dir, authority, [...certificatesIn(made.certificatePem), former]);
  }
}

/**
 * Takes former authorities out of the trust.
 * @throws CONFIG_INVALID while a certificate here was signed by one
 */
export function finishRotation(dir: string): void {
  for (const authority of AUTHORITY_NAMES) {
    const signer = signerOf(dir, authority);
    const old = issuedBy(dir, authority).find((one) => !one.certificate.verify(signer.publicKey));
    if (old === undefined) continue;
    throw new OperationError(
      'CONFIG_INVALID',
      `${authority}/${old.name}.pem is still signed by the former authority: understudy certs renew ${dir}`,
    );
  }
  for (const authority of AUTHORITY_NAMES) writeTrusted(dir, authority, [signerOf(dir, authority)]);
}
