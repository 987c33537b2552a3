import { type Cloud, type CloudCallOptions, isOperationError, OperationError } from '@understudy/shared';
import type { Ec2Transport } from '../transport/transport.ts';
import { knowsDryRun } from './actions.ts';

/** Makes a cloud of a transport. */
type CloudOver = (transport: Ec2Transport) => Cloud;

/**
 * Asks EC2 whether it would allow calls (`DryRun`). An endpoint that takes such a question for the
 * call itself is asked nothing more: on it, a question would be a deed. **S** What EC2 has no
 * `DryRun` for is never sent.
 */
export class DryRuns {
  readonly #cloud: Cloud;
  #doneInstead: string | null = null;

  constructor(transport: Ec2Transport, cloudOver: CloudOver) {
    this.#cloud = cloudOver(async (action, input, options) => {
      if (!knowsDryRun(action))
        throw new OperationError('CLOUD_REJECTED', `${action}: EC2 has no DryRun for it: it was not sent`);
      const answer = await transport(action, { ...input, DryRun: true }, options);
      this.#doneInstead = `${action}: this EC2 takes DryRun for the call itself, and did it: no call is tried again`;
      return answer;
    });
  }

  /** @throws what EC2 would answer to the call, if it is not allowed, or not taken as it is. */
  async ask(
    call: (cloud: Cloud, options?: CloudCallOptions) => Promise<unknown>,
    options?: CloudCallOptions,
  ): Promise<void> {
    if (this.#doneInstead !== null) throw new OperationError('CLOUD_REJECTED', this.#doneInstead);
    try {
      await call(this.#cloud, options);
    } catch (error) {
      // A refused dry run is EC2's way to say yes.
      if (isOperationError(error) && error.upstreamCode === 'DryRunOperation') return;
      if (this.#doneInstead === null) throw error;
    }
    throw new OperationError('CLOUD_REJECTED', this.#doneInstead ?? 'the call sent nothing');
  }
}
