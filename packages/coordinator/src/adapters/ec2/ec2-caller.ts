import type { CloudCallOptions } from '@understudy/shared';
import { OperationError } from '@understudy/shared';
import { type Raw, rawOf } from '../../core/recovery/raw-value.ts';
import { EC2_ACTIONS, type Ec2Action } from './actions.ts';
import { mapEc2Error } from './map-error.ts';
import type { Ec2Transport } from './transport.ts';

/** One action, sent once, its failure told in our codes. */
export class Ec2Caller {
  readonly #transport: Ec2Transport;

  constructor(transport: Ec2Transport) {
    this.#transport = transport;
  }

  protected async call(
    action: Ec2Action,
    input: Record<string, unknown>,
    options: CloudCallOptions = {},
  ): Promise<Raw> {
    const { mutating } = EC2_ACTIONS[action];
    try {
      return rawOf(await this.#transport(action, input, { ...options, mutating }));
    } catch (error) {
      throw mapEc2Error(error, { action, mutating });
    }
  }
}

/** A mutating call was answered, and the answer makes no sense: it was applied, but to what? */
export const unreadableAnswer = (action: string, missing: string): OperationError =>
  new OperationError('CLOUD_OUTCOME_UNKNOWN', `${action}: the answer has no ${missing}`);
