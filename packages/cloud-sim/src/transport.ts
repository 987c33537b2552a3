/** The transport an EC2 adapter needs: one call, by action name, in the SDK's own member names. */
export type Ec2Transport = (
  action: string,
  input: Record<string, unknown>,
  options?: { signal?: AbortSignal },
) => Promise<Record<string, unknown>>;

/** An error shaped like the SDK's service exceptions: match on `name`. */
export class SimServiceException extends Error {
  override readonly name: string;
  readonly Code: string;
  readonly $fault: 'client' | 'server';
  readonly $service: string;
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string; readonly attempts: number };

  constructor(code: string, message: string, httpStatusCode: number, requestId: string, service = 'EC2') {
    super(message);
    this.$service = service;
    this.name = code;
    this.Code = code;
    this.$fault = httpStatusCode >= 500 ? 'server' : 'client';
    this.$metadata = { httpStatusCode, requestId, attempts: 1 };
  }
}

/**
 * Thrown when the caller's wait ended without a reply: `TimeoutError` (the SDK's request timeout)
 * or `AbortError` (its abort signal).
 */
export class SimNoReplyError extends Error {
  override readonly name: 'TimeoutError' | 'AbortError';
  readonly $metadata = { attempts: 1 };

  constructor(name: 'TimeoutError' | 'AbortError', message: string) {
    super(message);
    this.name = name;
  }
}

/**
 * Thrown when something other than EC2 answered. It is shaped like what the coordinator's SDK
 * transport makes of such an answer.
 */
export class SimForeignAnswerError extends Error {
  override readonly name = 'ForeignAnswer';
  readonly $metadata = { httpStatusCode: 200, attempts: 1 };
}
