import type { CallUrgency } from '@understudy/shared';

/** Options of one EC2 call. `input` and the answer use the SDK's member names. */
export interface Ec2CallOptions {
  /** Ends the wait, not the effect. */
  readonly signal?: AbortSignal;
  /** A mutating call is sent at most once, whatever happens. */
  readonly mutating: boolean;
  /** A read that may be repeated. */
  readonly repeat?: boolean;
  /** Asked right before the request leaves. `false`: it is not sent, and LEASE_LOST is thrown. */
  readonly mayStart?: () => boolean;
  /** Own monotonic time after which the request is not sent any more. */
  readonly notAfterMs?: number;
  /** Where it stands among calls that wait. Default: as urgent as its action. */
  readonly urgency?: CallUrgency;
  /** Who asks: callers take turns. */
  readonly caller?: string;
}

/**
 * Rejects with an error of the SDK's shape: `name` = EC2 code, `$fault` client|server,
 * `$metadata.httpStatusCode`; or with a plain network, timeout or abort error; or with an
 * OperationError when it was never sent.
 */
export type Ec2Transport = (
  action: string,
  input: Record<string, unknown>,
  options?: Ec2CallOptions,
) => Promise<Record<string, unknown>>;
