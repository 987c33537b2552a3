import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { errorText, OperationError } from '@understudy/shared';
import { type AuthorityName, isKindName, type KindName } from './certificate-kinds.ts';
import type { SignedPair } from './sign.ts';

/**
 * Where an authority and its certificates are:
 * - `ca.key`: of the authority that signs now; it belongs on no server;
 * - `ca.pem`: whom to trust, the one that signs now first, a former one behind it;
 * - `NAME.pem`, `NAME.key`: what one server or client has.
 */
export const authorityFolder = (dir: string, authority: AuthorityName): string => join(dir, authority);

const CA = 'ca';

/** @throws CONFIG_INVALID */
const refuse = (text: string, cause?: unknown): never => {
  throw new OperationError('CONFIG_INVALID', text, cause === undefined ? {} : { cause });
};

const BLOCK = /-{5}BEGIN CERTIFICATE-{5}[^-]+-{5}END CERTIFICATE-{5}/g;

/** Every certificate of a bundle, in order. */
export const certificatesIn = (pem: string): readonly X509Certificate[] =>
  (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block));

/** A reader sees the old text or the new one. A private file is so from the start. */
function replaceFile(path: string, text: string, mode: number): void {
  const next = `${path}.next`;
  writeFileSync(next, text, { mode });
  chmodSync(next, mode);
  renameSync(next, path);
}

export interface Writing {
  /** Files that are there may be replaced. */
  readonly force: boolean;
}

/** @throws CONFIG_INVALID where one is there already and `force` was not said */
export function writePair(folder: string, name: string, pair: SignedPair, { force }: Writing): void {
  const [keyFile, certificateFile] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const there = [keyFile, certificateFile].find((path) => existsSync(path));
  if (there !== undefined && !force) refuse(`${there} is there already and is not overwritten; --force replaces it`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    replaceFile(keyFile, pair.keyPem, 0o600);
    replaceFile(certificateFile, pair.certificatePem, 0o644);
  } catch (cause) {
    refuse(`cannot write ${keyFile}: ${errorText(cause)}`, cause);
  }
}

/** The authority that signs now. */
export function readAuthority(dir: string, authority: AuthorityName): SignedPair {
  const folder = authorityFolder(dir, authority);
  try {
    const [own] = readFileSync(join(folder, `${CA}.pem`), 'utf8').match(BLOCK) ?? [];
    if (own === undefined) return refuse(`${folder}/${CA}.pem has no certificate`);
    return { certificatePem: `${own}\n`, keyPem: readFileSync(join(folder, `${CA}.key`), 'utf8') };
  } catch (cause) {
    if (cause instanceof OperationError) throw cause;
    return refuse(`no authority in ${folder} (understudy certs init ${dir}): ${errorText(cause)}`, cause);
  }
}

export const writeAuthority = (dir: string, authority: AuthorityName, pair: SignedPair, writing: Writing): void =>
  writePair(authorityFolder(dir, authority), CA, pair, writing);

/** Everybody whom `ca.pem` trusts, the one that signs now first. */
export const trusted = (dir: string, authority: AuthorityName): readonly X509Certificate[] =>
  certificatesIn(readFileSync(join(authorityFolder(dir, authority), `${CA}.pem`), 'utf8'));

export const writeTrusted = (dir: string, authority: AuthorityName, bundle: readonly X509Certificate[]): void =>
  replaceFile(join(authorityFolder(dir, authority), `${CA}.pem`), bundle.map((one) => one.toString()).join(''), 0o644);

/** A certificate that was issued, read back from its file. */
export interface IssuedCertificate {
  readonly authority: AuthorityName;
  readonly name: string;
  readonly kind: KindName;
  readonly addresses: readonly string[];
  readonly certificate: X509Certificate;
}

const partOf = (subject: string, part: string): string =>
  subject
    .split('\n')
    .find((line) => line.startsWith(`${part}=`))
    ?.slice(part.length + 1) ?? '';

const addressesOf = ({ subjectAltName = '' }: X509Certificate): readonly string[] =>
  subjectAltName
    .split(', ')
    .filter((one) => one !== '')
    .map((one) => one.replace(/^(?:DNS|IP Address):/, ''));

/** The certificates of an authority, by name. Files that are none of ours are left out. */
export function issuedBy(dir: string, authority: AuthorityName): readonly IssuedCertificate[] {
  const folder = authorityFolder(dir, authority);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).flatMap((file) => (file.endsWith('.pem') ? file.slice(0, -'.pem'.length) : []));
  return names
    .filter((name) => name !== CA)
    .toSorted()
    .flatMap((name) => {
      const [certificate] = certificatesIn(readFileSync(join(folder, `${name}.pem`), 'utf8'));
      const kind = certificate ? partOf(certificate.subject, 'OU') : '';
      if (certificate === undefined || !isKindName(kind)) return [];
      return [{ authority, name, kind, addresses: addressesOf(certificate), certificate }];
    });
}
