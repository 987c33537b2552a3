import { isOperationError, OperationError } from '@understudy/shared';
import type { Ec2CallOptions } from './transport.ts';

/**
 * The error of a call that never left, and so was definitely not applied. A lost lease keeps its
 * own code.
 */
export function notSent(action: string, why: string, reason?: unknown): OperationError {
  if (isOperationError(reason) && reason.code === 'LEASE_LOST') return reason;
  return new OperationError('CLOUD_THROTTLED', `${action} was not sent: ${why}`, {
    upstreamCode: 'NotSent',
    ...(reason === undefined ? {} : { cause: reason }),
  });
}

/**
 * Asks for the last time before a request leaves.
 * @throws LEASE_LOST or CLOUD_THROTTLED (`NotSent`): either way nothing was sent.
 */
export function assertMayStart(action: string, options: Ec2CallOptions | undefined): void {
  if (options?.signal?.aborted) throw notSent(action, 'aborted before it was sent', options.signal.reason);
  if (options?.mayStart?.() === false)
    throw new OperationError('LEASE_LOST', `${action} was not sent: too late for it`);
}
