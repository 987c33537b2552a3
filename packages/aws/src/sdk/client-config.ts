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
  requestHandler: {
    connectionTimeout: connectTimeoutMs ?? Math.min(connectMaxMs, Math.ceil(callTimeoutMs / 4)),
    requestTimeout: callTimeoutMs,
    throwOnRequestTimeout: true,
  },
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(credentials === undefined ? {} : { credentials }),
});
