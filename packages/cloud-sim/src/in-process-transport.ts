import type { CloudSim } from './cloud-sim.ts';
import { checkInput } from './schema/check-input.ts';
import { type Ec2Transport, SimForeignAnswerError, SimNoReplyError, SimServiceException } from './transport.ts';

export interface InProcessOptions {
  readonly reader?: string;
  /** What the trail says that it was sent by. */
  readonly userAgent?: string;
}

/**
 * The simulated EC2 without a network, with the shapes and errors of the SDK's client over HTTP.
 * Inputs are checked against the SDK's own schemas (unknown members, missing ones, wrong types).
 * Input and output are copied.
 */
export function inProcessTransport(sim: CloudSim, options: InProcessOptions = {}): Ec2Transport {
  let calls = 0;
  return async (action, input, { signal } = {}) => {
    const requestId = `sim-${++calls}`;
    const problem = checkInput(action, input);
    if (problem) throw new SimServiceException(problem.code, problem.message, problem.httpStatus, requestId);
    const reply = await sim.call(action, input, {
      ...(signal && { signal }),
      ...(options.reader !== undefined && { reader: options.reader }),
      ...(options.userAgent !== undefined && {
        caller: { requestId: `${options.reader ?? ''}-${requestId}`, userAgent: options.userAgent },
      }),
    });
    if ('lost' in reply)
      throw new SimNoReplyError('TimeoutError', `${action}: no reply within ${reply.lost.hangMs} ms`);
    if ('foreign' in reply)
      throw new SimForeignAnswerError(`HTTP 200 (text/html): its body is a <html>, not a <${action}Response>`);
    if ('error' in reply) {
      throw new SimServiceException(reply.error.code, reply.error.message, reply.error.httpStatus, requestId);
    }
    return reply.output;
  };
}
