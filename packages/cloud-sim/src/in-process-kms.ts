import type { CloudSim } from './cloud-sim.ts';
import { kmsErrorOf } from './core/kms/errors.ts';
import { KMS_PREFIX } from './core/kms/index.ts';
import { checkInput } from './schema/check-input.ts';
import { type Ec2Transport, SimForeignAnswerError, SimNoReplyError, SimServiceException } from './transport.ts';

/**
 * The simulated KMS without a network, with the shapes and errors of the SDK's client over HTTP.
 */
export function inProcessKms(sim: CloudSim, options: { readonly reader?: string } = {}): Ec2Transport {
  let calls = 0;
  return async (action, input, { signal } = {}) => {
    const requestId = `sim-kms-${++calls}`;
    const name = `${KMS_PREFIX}${action}`;
    const refusal = (error: { code: string; message: string; httpStatus: number }) => {
      const { code, message, httpStatus } = kmsErrorOf(error);
      return new SimServiceException(code, message, httpStatus, requestId, 'KMS');
    };
    const problem = checkInput(name, input);
    if (problem) throw refusal(problem);
    const reply = await sim.call(name, input, {
      ...(signal && { signal }),
      ...(options.reader !== undefined && { reader: options.reader }),
    });
    if ('lost' in reply)
      throw new SimNoReplyError('TimeoutError', `${action}: no reply within ${reply.lost.hangMs} ms`);
    if ('foreign' in reply) throw new SimForeignAnswerError('HTTP 200 (text/html): its body is no JSON');
    if ('error' in reply) throw refusal(reply.error);
    return reply.output;
  };
}
