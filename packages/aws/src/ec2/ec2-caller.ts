import { type CloudCallOptions, OperationError, type Raw, rawListOf, rawOf } from '@understudy/shared';
import { EC2_ACTIONS, type Ec2Action } from './actions.ts';
import { mapEc2Error } from '../transport/map-error.ts';
import type { Ec2Transport } from '../transport/transport.ts';

/** Sends one action once, and reports its failure in our codes. */
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

/**
 * A mutating call was answered, and the answer makes no sense. The call was applied, but to what is
 * unknown.
 */
export const unreadableAnswer = (action: string, missing: string): OperationError =>
  new OperationError('CLOUD_OUTCOME_UNKNOWN', `${action}: the answer has no ${missing}`);

/**
 * The list a read has to answer with. EC2 answers an empty one where there is nothing. An answer
 * without the list is another's, and tells nothing (S18).
 * @throws CLOUD_UNAVAILABLE
 */
export function listIn(action: string, answer: Raw, member: string): readonly Raw[] {
  const list = answer[member];
  if (Array.isArray(list)) return rawListOf(list);
  throw new OperationError('CLOUD_UNAVAILABLE', `${action}: the answer has no ${member}: it is not EC2's`);
}

/**
 * Checks that an answer about one instance names it.
 * @throws CLOUD_UNAVAILABLE
 */
export function assertAbout(action: string, answer: Raw, instanceId: string): void {
  if (answer.InstanceId === instanceId) return;
  const text = `${action}: the answer is not about ${instanceId}: it is not EC2's`;
  throw new OperationError('CLOUD_UNAVAILABLE', text);
}
