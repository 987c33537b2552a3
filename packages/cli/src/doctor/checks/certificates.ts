import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { durationText, errorText } from '@understudy/shared';
import { check } from '../check.ts';
import { namedFiles } from '../config-files.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { type Finding, fault, note, ok, warning } from '../finding.ts';

export interface CertificateFacts {
  readonly path: string;
  /** When the first of its certificates ends. Null: it cannot be read. */
  readonly untilWallMs: number | null;
  readonly problem: string | null;
}

/** Time to renew one without haste, in ms. */
const SOON_MS = 21 * 86_400_000;
const REMEDY = 'make a new one (docs name the command), and put it in the place of this file';

/** Whether a certificate ends soon. Pure. */
export function judgeCertificates(all: readonly CertificateFacts[], nowWallMs: number): readonly Finding[] {
  if (all.length === 0) return [note('the configuration names no certificate')];
  return all.map(({ path, untilWallMs, problem }) => {
    if (untilWallMs === null) return fault(`${path} holds no certificate: ${problem ?? ''}`, REMEDY);
    const leftMs = untilWallMs - nowWallMs;
    if (leftMs <= 0) return fault(`${path} ended ${durationText(-leftMs)} ago`, REMEDY);
    return leftMs < SOON_MS
      ? warning(`${path} ends in ${durationText(leftMs)}`, REMEDY)
      : ok(`${path} is good for ${durationText(leftMs)}`);
  });
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function factsOf(path: string): CertificateFacts {
  try {
    const ends = (readFileSync(path, 'utf8').match(PEM) ?? []).map((pem) =>
      new X509Certificate(pem).validToDate.getTime(),
    );
    const problem = ends.length === 0 ? 'want PEM' : null;
    return { path, untilWallMs: ends.length === 0 ? null : Math.min(...ends), problem };
  } catch (error) {
    return { path, untilWallMs: null, problem: errorText(error) };
  }
}

export const certificates = check(
  'certificates',
  ({ config, clock }: CoordinatorHost) => ({
    all: namedFiles(config).flatMap(({ path, isSecret }) => (isSecret ? [] : [factsOf(path)])),
    nowWallMs: clock.wallMs(),
  }),
  ({ all, nowWallMs }) => judgeCertificates(all, nowWallMs),
);
