import { type CloudCallOptions, type Clock, type Raw, rawOf } from '@understudy/shared';
import { mapEc2Error } from './map-error.ts';
import { timedTransport } from './timed-transport.ts';
import type { Ec2Transport } from './transport.ts';

export interface ServiceOptions {
  readonly transport: Ec2Transport;
  readonly clock: Clock;
  /** Time from sending to giving up. */
  readonly callTimeoutMs: number;
}

export type SendOnce<Action extends string> = (
  action: Action,
  input: Record<string, unknown>,
  options?: CloudCallOptions,
) => Promise<Raw>;

/** Sends each action of a service once, and reports its failure in our codes. */
export function sendOnce<Action extends string>(
  { transport, clock, callTimeoutMs }: ServiceOptions,
  isMutating: Readonly<Record<Action, boolean>>,
): SendOnce<Action> {
  const send = timedTransport(transport, clock, callTimeoutMs);
  return async (action, input, options = {}) => {
    const mutating = isMutating[action];
    try {
      return rawOf(await send(action, input, { ...options, mutating }));
    } catch (error) {
      throw mapEc2Error(error, { action, mutating });
    }
  };
}
