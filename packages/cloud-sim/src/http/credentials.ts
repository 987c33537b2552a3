import { Ec2Error } from '../core/ec2-error.ts';

export interface CredentialRules {
  readonly region: string;
  /** Accepted ids. Empty: any. */
  readonly accessKeyIds: readonly string[];
  /** 0: no check. EC2's window is 15 minutes. */
  readonly clockSkewMaxMs: number;
}

const CREDENTIAL =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,.*Signature=[0-9a-f]{64}/;

function sentAtMs(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/**
 * The caller, from the SigV4 header. The header must be present and well formed, with a known key,
 * this Region and a recent date. The signature itself is not verified, because the simulator has no
 * secret to verify it with. `service`: whose endpoint was asked, as it is signed for.
 * @throws AuthFailure, SignatureDoesNotMatch, RequestExpired
 */
export function checkCredentials(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  rules: CredentialRules,
  nowWallMs: number,
  service: string,
): string {
  const [, accessKeyId = '', , region = '', signedFor] = CREDENTIAL.exec(String(headers['authorization'] ?? '')) ?? [];
  if (
    accessKeyId === '' ||
    signedFor !== service ||
    (rules.accessKeyIds.length > 0 && !rules.accessKeyIds.includes(accessKeyId))
  ) {
    throw new Ec2Error('AuthFailure', 'AWS was not able to validate the provided access credentials');
  }
  if (region !== rules.region) {
    throw new Ec2Error('SignatureDoesNotMatch', `Credential should be scoped to a valid region, not '${region}'`, 403);
  }
  const skewMs = Math.abs(sentAtMs(String(headers['x-amz-date'] ?? '')) - nowWallMs);
  if (rules.clockSkewMaxMs > 0 && !(skewMs <= rules.clockSkewMaxMs)) {
    throw new Ec2Error(
      'RequestExpired',
      `Request has expired: ${skewMs} ms from our time, at most ${rules.clockSkewMaxMs}`,
    );
  }
  return accessKeyId;
}
