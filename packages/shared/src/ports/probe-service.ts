import type { ServiceProbe } from '../service-probe.ts';
import type { Endpoint } from './datagram-socket.ts';

/**
 * How one look at a service ended. `NotSent`: it could not be made, for a reason on our side, and
 * proves nothing.
 */
export const PROBE_CODES = [
  'Passing',
  'Refused',
  'Reset',
  'Timeout',
  'Unreachable',
  'ClosedEarly',
  'TlsFailed',
  'CertificateUntrusted',
  'CertificateWrongName',
  'CertificateExpired',
  'HttpStatus',
  'HttpMalformed',
  'BodyWithoutText',
  'NotSent',
] as const;
export type ProbeCode = (typeof PROBE_CODES)[number];

/**
 * What one look showed. The host and its service are two questions: a kernel that accepts, refuses
 * or resets a connection is alive, whatever the state of the service behind it.
 */
export interface ProbeReport {
  /** `not-sent`: we could not ask, so it proves nothing. */
  readonly host: 'answered' | 'silent' | 'not-sent';
  readonly code: ProbeCode;
  /** The status of an HTTP answer. Null for other probes. */
  readonly httpStatus: number | null;
  /** The certificate shown has fewer days left than the probe wants. */
  readonly expiresSoon: boolean;
}

export const NOT_SENT: ProbeReport = { host: 'not-sent', code: 'NotSent', httpStatus: null, expiresSoon: false };

/**
 * Makes one look at a service. It never rejects for what it finds, because that is the answer. It
 * ends within `timeoutMs` and leaves no connection behind, also when `signal` is aborted (answer:
 * `NotSent`).
 */
export type ProbeService = (
  probe: ServiceProbe,
  to: Endpoint,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<ProbeReport>;
