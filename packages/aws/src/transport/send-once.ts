import { type CloudCallOptions, type Clock, type Raw, rawOf } from '@understudy/shared';
import { mapEc2Error } from './map-error.ts';
import { timedTransport } from './timed-transport.ts';
import type { Ec2Transport } from './transport.ts';

export interface ServiceOptions {
  readonly transport: Ec2Transport;
  readonly clock: Clock;
  /** Time from sending to giving up. It counts only once the call has its token. */
  readonly callTimeoutMs: number;
  /** What all calls of this account (and Region) to the service wait at. Absent: they do not. */
  readonly limiter?: { limited(inner: Ec2Transport): Ec2Transport } | undefined;
}

export type SendOnce<Action extends string> = (
  action: Action,
  input: Record<string, unknown>,
  options?: CloudCallOptions,
) => Promise<Raw>;

/** Sends each action of a service once, and reports its failure in our codes. */
export function sendOnce<Action extends string>(
  { transport, clock, callTimeoutMs, limiter }: ServiceOptions,
  isMutating: Readonly<Record<Action, boolean>>,
): SendOnce<Action> {
  const timed = timedTransport(transport, clock, callTimeoutMs);
  const send = limiter?.limited(timed) ?? timed;
  return async (action, input, options = {}) => {
    const mutating = isMutating[action];
    try {
      return rawOf(await send(action, input, { ...options, mutating }));
    } catch (error) {
      throw mapEc2Error(error, { action, mutating });
    }
  };
}
