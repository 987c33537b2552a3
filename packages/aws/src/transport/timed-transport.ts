import { durationText, type Clock } from '@understudy/shared';
import { assertMayStart } from './not-sent.ts';
import type { Ec2Transport } from './transport.ts';

/** Named like the SDK's own error, so that both map alike. */
class CallTimeout extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * Rejects after `callTimeoutMs` or on abort, whatever the transport below does (DNS, credentials,
 * sockets, a simulator). The request itself may still be applied; the caller's error mapping says
 * so.
 */
export function timedTransport(inner: Ec2Transport, clock: Clock, callTimeoutMs: number): Ec2Transport {
  return async (action, input, options) => {
    assertMayStart(action, options);
    const giveUp = new AbortController();
    const stop = (reason: unknown) => giveUp.abort(reason);
    const timer = clock.setTimer(callTimeoutMs, () =>
      stop(new CallTimeout(`no answer within ${durationText(callTimeoutMs)}`)),
    );
    const onAbort = () => stop(abortError(options?.signal?.reason));
    options?.signal?.addEventListener('abort', onAbort, { once: true });
    const ended = new Promise<never>((_, reject) => {
      giveUp.signal.addEventListener('abort', () => reject(giveUp.signal.reason), { once: true });
    });
    try {
      const sent = inner(action, input, { mutating: true, ...options, signal: giveUp.signal });
      return await Promise.race([sent, ended]);
    } finally {
      timer.cancel();
      options?.signal?.removeEventListener('abort', onAbort);
    }
  };
}

/**
 * The error is never an OperationError. The request is on its way, so the abort's own code
 * (LEASE_LOST …) would hide that its outcome is unknown.
 */
function abortError(cause: unknown): Error {
  const error = new Error('aborted while the request was on its way', { cause });
  error.name = 'AbortError';
  return error;
}
