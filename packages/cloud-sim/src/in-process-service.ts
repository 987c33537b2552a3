import type { CloudSim } from './cloud-sim.ts';
import { checkInput } from './schema/check-input.ts';
import { type Service, SERVICES } from './services.ts';
import { type Ec2Transport, SimForeignAnswerError, SimNoReplyError, SimServiceException } from './transport.ts';

/** Why something else's answer is not the service's, by the protocol that the service speaks. */
const NO_JSON = 'its body is no JSON';
const FOREIGN: Readonly<Record<string, string>> = {
  kms: NO_JSON,
  sqs: NO_JSON,
  ssm: NO_JSON,
  events: NO_JSON,
  secretsmanager: NO_JSON,
};

/** The exception as the SDK makes it: of the older form it reads neither code nor message. */
function exceptionOf(service: Service, error: Parameters<Service['inOwnWords']>[0], requestId: string): Error {
  const { code, message, httpStatus, form, queryCode } = service.inOwnWords(error);
  const [name, text] = form === 'messages' ? ['Unknown', 'UnknownError'] : [code, message];
  const exception = new SimServiceException(name, text, httpStatus, requestId, service.name.toUpperCase());
  // The SDK takes the code from the header of the older protocol, where there is one.
  return queryCode === undefined ? exception : Object.assign(exception, { Code: queryCode });
}

/**
 * A simulated service without a network, with the shapes and errors of the SDK's client over HTTP.
 * `name`: as requests to it are signed.
 */
export function inProcessService(
  sim: CloudSim,
  name: 'kms' | 'route53' | 'elasticloadbalancing' | 'sqs' | 'sns' | 'events' | 'ssm' | 'secretsmanager',
  options: { readonly reader?: string } = {},
): Ec2Transport {
  const service = SERVICES.find((one) => one.name === name);
  if (!service) throw new Error(`no service ${name}`);
  let calls = 0;
  return async (action, input, { signal } = {}) => {
    const requestId = `sim-${name}-${++calls}`;
    const full = `${service.prefix}${action}`;
    const problem = checkInput(full, input);
    if (problem) throw exceptionOf(service, problem, requestId);
    const reply = await sim.call(full, input, {
      ...(signal && { signal }),
      ...(options.reader !== undefined && { reader: options.reader }),
    });
    if ('lost' in reply)
      throw new SimNoReplyError('TimeoutError', `${action}: no reply within ${reply.lost.hangMs} ms`);
    if ('foreign' in reply)
      throw new SimForeignAnswerError(`HTTP 200 (text/html): ${FOREIGN[name] ?? 'its body is a <html>'}`);
    if ('error' in reply) throw exceptionOf(service, reply.error, requestId);
    return reply.output;
  };
}
