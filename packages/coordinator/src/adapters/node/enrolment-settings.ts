import { readFileSync } from 'node:fs';
import { errorText, OperationError } from '@understudy/shared';
import type { CoordinatorConfig } from '../../config.ts';
import type { EnrolmentSettings } from '../../identity/enrolment-settings.ts';
import { signersFor } from '../../identity/signers.ts';

/**
 * Says whose identity documents are good for a key: nobody's where the configuration is silent.
 * @throws CONFIG_INVALID where a certificate is missing, or is not what it should be
 */
export function enrolmentSettings(
  { enrolment }: Pick<CoordinatorConfig, 'enrolment'>,
  region: string,
): { readonly enrolment?: EnrolmentSettings } {
  if (enrolment === undefined) return {};
  const { accounts, certificateFile: file } = enrolment;
  const pem = file === undefined ? null : { file, text: readCertificates(file) };
  return { enrolment: { region, accounts, signers: signersFor(region, pem) } };
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `enrolment.certificateFile: ${errorText(cause)}`, { cause });
  }
}
