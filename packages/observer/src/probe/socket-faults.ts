import { NOT_SENT, type ProbeCode, type ProbeReport } from '@understudy/shared';

/** Errors that say something of this process or this machine, and nothing of the one asked. */
const OWN_FAULTS: ReadonlySet<string> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EADDRINUSE', 'ENETUNREACH', 'ENETDOWN'],
  ...['EACCES', 'EPERM', 'EINVAL', 'EAFNOSUPPORT'],
]);
const RESETS: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);
/** OpenSSL's verification results, as Node names them. */
const CERTIFICATE_FAULTS: Readonly<Record<string, ProbeCode>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'CertificateWrongName',
  CERT_HAS_EXPIRED: 'CertificateExpired',
  CERT_NOT_YET_VALID: 'CertificateUntrusted',
  CERT_UNTRUSTED: 'CertificateUntrusted',
  CERT_REVOKED: 'CertificateUntrusted',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'CertificateUntrusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'CertificateUntrusted',
  UNABLE_TO_GET_ISSUER_CERT: 'CertificateUntrusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'CertificateUntrusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'CertificateUntrusted',
  CERT_SIGNATURE_FAILURE: 'CertificateUntrusted',
  CERT_CHAIN_TOO_LONG: 'CertificateUntrusted',
  INVALID_CA: 'CertificateUntrusted',
  INVALID_PURPOSE: 'CertificateUntrusted',
  PATH_LENGTH_EXCEEDED: 'CertificateUntrusted',
  HOSTNAME_MISMATCH: 'CertificateWrongName',
};

/** A report about a host that has answered with anything at all. */
export const answered = (code: ProbeCode, also: Partial<ProbeReport> = {}): ProbeReport => ({
  host: 'answered',
  code,
  httpStatus: null,
  expiresSoon: false,
  ...also,
});

export const silent = (code: ProbeCode): ProbeReport => ({
  host: 'silent',
  code,
  httpStatus: null,
  expiresSoon: false,
});

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/**
 * Before the connection stood. A refusal is an answer: the host's kernel, or whoever has its
 * address now, sent it.
 */
export function connectFault(error: unknown): ProbeReport {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return answered('Refused');
  if (RESETS.has(code)) return answered('Reset');
  if (OWN_FAULTS.has(code)) return NOT_SENT;
  return silent(code === 'ETIMEDOUT' ? 'Timeout' : 'Unreachable');
}

/** After the connection stood: the host lives, the service does not work. */
export function answerFault(error: unknown, otherwise: ProbeCode): ProbeReport {
  const code = codeOf(error);
  const ofCertificate = CERTIFICATE_FAULTS[code];
  if (ofCertificate) return answered(ofCertificate);
  if (!RESETS.has(code)) return answered(otherwise);
  // Node calls an end before the answer ECONNRESET too; only the kernel's own has a `syscall`.
  return answered(error instanceof Error && 'syscall' in error ? 'Reset' : 'ClosedEarly');
}
