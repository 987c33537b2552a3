import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorText } from '@understudy/shared';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { fault, type Finding, note, ok, warning } from '../finding.ts';

const DAY_MS = 86_400_000;
/** The same as `certs renew` takes for due: a third of its life. */
const DUE_SHARE = 1 / 3;

export interface CertificateFile {
  /** Where the configuration names it, e.g. `etcd.tls.certFile`. */
  readonly field: string;
  readonly path: string;
  /** ms of the wall clock. Null: it could not be read. */
  readonly fromMs: number | null;
  readonly untilMs: number | null;
  readonly problem: string | null;
}

/** Every file of certificates that a configuration names, wherever it stands. */
export function certificateFields(
  value: unknown,
  path: readonly string[] = [],
): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]): readonly (readonly [string, string])[] =>
    typeof member === 'string' && /(?:^c|C)(?:ert|a)File$/.test(key)
      ? [[[...path, key].join('.'), member]]
      : certificateFields(member, [...path, key]),
  );
}

function read([field, path]: readonly [string, string]): CertificateFile {
  try {
    const { validFromDate, validToDate } = new X509Certificate(readFileSync(path));
    return { field, path, fromMs: validFromDate.getTime(), untilMs: validToDate.getTime(), problem: null };
  } catch (error) {
    return { field, path, fromMs: null, untilMs: null, problem: errorText(error) };
  }
}

const REMEDY = 'sign it anew with understudy certs renew, and copy it here (docs/certificates.md)';

/** What is to be said of one file at `nowWallMs`. */
export function judgeCertificate(
  { field, path, fromMs, untilMs, problem }: CertificateFile,
  nowWallMs: number,
): Finding {
  const named = `${field} (${path})`;
  if (fromMs === null || untilMs === null)
    return fault(`${named} cannot be read: ${problem ?? ''}`, 'correct the path, or make the certificate');
  const days = Math.floor((untilMs - nowWallMs) / DAY_MS);
  if (nowWallMs < fromMs)
    return fault(`${named} is not valid before ${new Date(fromMs).toISOString()}`, "check this host's clock");
  if (days < 0) return fault(`${named} ended on ${new Date(untilMs).toISOString()}`, REMEDY);
  if (untilMs - nowWallMs < (untilMs - fromMs) * DUE_SHARE) return warning(`${named} ends in ${days} days`, REMEDY);
  return ok(`${named} is valid for ${days} days`);
}

/** When the certificates end that the configuration names. */
export const certificates = check(
  'certificates',
  ({ config, clock }: CoordinatorHost) => ({ files: certificateFields(config).map(read), nowWallMs: clock.wallMs() }),
  ({ files, nowWallMs }) =>
    files.length === 0
      ? [note('the configuration names no certificate')]
      : files.map((one) => judgeCertificate(one, nowWallMs)),
);
