import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { errorText } from '@understudy/shared';
import { awsRegionOf } from '@understudy/shared/node';
import { check } from '../check.ts';
import type { CoordinatorHost } from '../coordinator-host.ts';
import { fault, type Finding, note, ok, warning } from '../finding.ts';

export interface EnrolmentFacts {
  readonly region: string;
  readonly accounts: readonly string[];
  /** Null: those of this build are used. */
  readonly certificateFile: string | null;
  /** Why no document can be checked here. Null: it can. */
  readonly signersProblem: string | null;
  /** ms of the wall clock. Null: unknown, or of this build. */
  readonly certificateUntilMs: number | null;
  /** Where agents ask, as this coordinator tells the others. */
  readonly url: string;
  readonly nowWallMs: number;
}

/** Whether agents can be given their key by identity here. Null: they are not to be. Pure. */
export function judgeEnrolment(facts: EnrolmentFacts | null): readonly Finding[] {
  if (facts === null) return [note('no agent gets its key by identity (enrolment: docs/enrolment.md)')];
  const { region, accounts, certificateFile, signersProblem, certificateUntilMs, url, nowWallMs } = facts;
  if (signersProblem !== null)
    return [
      fault(
        `identity documents cannot be checked: ${signersProblem}`,
        "name a file with AWS's RSA-2048 certificate of this Region in enrolment.certificateFile (docs/enrolment.md)",
      ),
    ];
  const whose = certificateFile ?? 'the certificate of this build';
  const found: Finding[] = [
    ok(`identity documents of ${region} are checked with ${whose}, for ${accounts.join(', ')}`),
  ];
  if (certificateUntilMs !== null && certificateUntilMs < nowWallMs)
    found.push(
      warning(
        `${whose} ended on ${new Date(certificateUntilMs).toISOString()}: AWS may sign with another one`,
        "compare it with AWS's page of certificates by Region (docs/enrolment.md)",
      ),
    );
  if (!url.startsWith('https:'))
    found.push(warning(`http.publicUrl is ${url}: keys are given over TLS only`, 'name its https address there'));
  return found;
}

function endOf(pem: string | null): number | null {
  try {
    return pem === null ? null : new X509Certificate(pem).validToDate.getTime();
  } catch {
    return null;
  }
}

/** Reads the certificates that documents are checked with, as a coordinator does at its start. */
export const enrolment = check(
  'enrolment',
  async ({ config, environment, clock }: CoordinatorHost): Promise<EnrolmentFacts | null> => {
    if (config.enrolment === undefined) return null;
    const { accounts, certificateFile = null } = config.enrolment;
    const region = awsRegionOf(config.aws.region, environment);
    const { host, port, publicUrl } = config.http;
    const scheme = config.http.tls === undefined ? 'http' : 'https';
    const said = { region, accounts, certificateFile, url: publicUrl ?? `${scheme}://${host}:${port}` };
    const nowWallMs = clock.wallMs();
    const { signersFor } = await import('@understudy/coordinator');
    try {
      const text = certificateFile === null ? null : readFileSync(certificateFile, 'utf8');
      signersFor(region, text === null || certificateFile === null ? null : { text, file: certificateFile });
      return { ...said, signersProblem: null, certificateUntilMs: endOf(text), nowWallMs };
    } catch (error) {
      return { ...said, signersProblem: errorText(error), certificateUntilMs: null, nowWallMs };
    }
  },
  judgeEnrolment,
);
