import type { Endpoint, MemberId, MonotonicMs, ServiceProbe } from '@understudy/shared';

/**
 * How one look at a service ended. `NotSent`: it could not be made, for a reason on our side;
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
 * or resets a connection lives, whatever becomes of the service behind it.
 */
export interface ProbeReport {
  /** `not-sent`: we could not ask; proves nothing. */
  readonly host: 'answered' | 'silent' | 'not-sent';
  readonly code: ProbeCode;
  /** Of an HTTP answer. */
  readonly httpStatus: number | null;
  /** The certificate shown has fewer days left than the probe wants. */
  readonly expiresSoon: boolean;
}

export const NOT_SENT: ProbeReport = { host: 'not-sent', code: 'NotSent', httpStatus: null, expiresSoon: false };

/** A look to make now. Give what became of it to `ObserverTable.serviceResult`. */
export interface ServiceOrder {
  /** `confirm`: it is silent, does its host live? `watch`: it is heard, do its services work? */
  readonly purpose: 'confirm' | 'watch';
  readonly member: MemberId;
  readonly probe: ServiceProbe;
  /** Where the member's heartbeats come from, and the probe's port. */
  readonly to: Endpoint;
  readonly timeoutMs: number;
  readonly plannedAtMs: MonotonicMs;
  /** Position in the group's list. */
  readonly index: number;
  /** Instance and list of probes it was planned for. */
  readonly epoch: number;
  /** Which suspicion it belongs to; null for `watch`. */
  readonly suspectSinceMs: MonotonicMs | null;
}

/** This observer's view of a member's services; see `ServiceOpinionSchema`. */
export interface ServiceOpinion {
  readonly state: 'passing' | 'failing';
  readonly probe: string;
  readonly reason: string;
  readonly sinceMs: MonotonicMs;
  readonly passedBefore: boolean;
  readonly warning: string | null;
}

/** How many looks may be begun now. */
export interface ProbeRoom {
  readonly confirm: number;
  readonly watch: number;
}
