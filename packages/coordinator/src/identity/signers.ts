import { type KeyObject, X509Certificate } from 'node:crypto';
import { OperationError } from '@understudy/shared';
import { REGION_CERTIFICATES } from './region-certificates.ts';

const KEY_BITS_MIN = 2_048;
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Regions whose certificate is in this build. */
export const EMBEDDED_REGIONS: readonly string[] = Object.keys(REGION_CERTIFICATES);

/** @throws CONFIG_INVALID where it is no certificate of an RSA key that is long enough. */
function keyOf(certificate: string | Buffer, where: string): KeyObject {
  let key: KeyObject;
  try {
    key = new X509Certificate(certificate).publicKey;
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `${where}: that is no certificate`, { cause });
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === 'rsa' && bits >= KEY_BITS_MIN) return key;
  const found = `${key.asymmetricKeyType ?? 'unknown'} of ${bits} bits`;
  throw new OperationError(
    'CONFIG_INVALID',
    `${where}: want RSA of ${KEY_BITS_MIN} bits (kind rsa2048), found ${found}`,
  );
}

/**
 * Keys that sign identity documents of this Region. `pem`: certificates that the operator names for
 * it, which take the place of those of this build.
 * @throws CONFIG_INVALID where there are none, or one is not what it should be.
 */
export function signersFor(region: string, pem: { readonly text: string; readonly file: string } | null): KeyObject[] {
  if (pem !== null) {
    const keys = (pem.text.match(PEM) ?? []).map((one) => keyOf(one, pem.file));
    if (keys.length > 0) return keys;
    throw new OperationError('CONFIG_INVALID', `${pem.file}: no certificate (PEM) is in it`);
  }
  const embedded = Object.hasOwn(REGION_CERTIFICATES, region) ? REGION_CERTIFICATES[region] : undefined;
  if (embedded !== undefined) return [keyOf(Buffer.from(embedded, 'base64'), `the certificate of ${region}`)];
  const remedy = `name a file with AWS's RSA-2048 certificate of ${region} in enrolment.certificateFile (docs/enrolment.md)`;
  throw new OperationError('CONFIG_INVALID', `this build has no certificate of AWS for Region ${region}: ${remedy}`);
}
