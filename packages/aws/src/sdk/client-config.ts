import type { Ec2Transport } from '../transport/transport.ts';

export interface SdkTransportOptions {
  readonly region: string;
  /** Absent: `AWS_ENDPOINT_URL_EC2` and the like, otherwise the Region's own. */
  readonly endpoint?: string;
  /** Absent: the SDK's default chain (environment, files, instance profile). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Longest wait for an answer, per attempt. The SDK itself has no limit by default. */
  readonly callTimeoutMs: number;
  /** Longest wait for a connection. Default: a quarter of `callTimeoutMs`, at most 2 000. */
  readonly connectTimeoutMs?: number;
}

/** What our clients call themselves in the user agent. */
export const OWN_USER_AGENT = 'understudy';

export interface SdkTransport {
  readonly send: Ec2Transport;
  /** Closes the sockets. */
  close(): void;
}

/**
 * The configuration of a client of any service. Nothing the client does lasts longer than the
 * options say. `connectMaxMs` bounds the wait for a connection where none is configured.
 */
export const clientConfigOf = (
  { region, endpoint, credentials, callTimeoutMs, connectTimeoutMs }: SdkTransportOptions,
  maxAttempts: number,
  connectMaxMs: number,
) => ({
  region,
  maxAttempts,
  // So that a trail shows which calls were a coordinator's.
  customUserAgent: [[OWN_USER_AGENT, '1']] satisfies [string, string][],
  requestHandler: {
    connectionTimeout: connectTimeoutMs ?? Math.min(connectMaxMs, Math.ceil(callTimeoutMs / 4)),
    requestTimeout: callTimeoutMs,
    throwOnRequestTimeout: true,
  },
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(credentials === undefined ? {} : { credentials }),
});
