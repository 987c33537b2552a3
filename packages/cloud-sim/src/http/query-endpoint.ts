import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CloudSim } from '../cloud-sim.ts';
import { Ec2Error } from '../core/ec2-error.ts';
import { checkInput } from '../schema/check-input.ts';
import { type OperationSchema, operationSchema } from '../schema/operations.ts';
import { readQuery } from '../schema/query-codec.ts';
import { writeError, writeResponse } from '../schema/xml-codec.ts';
import { checkCredentials, type CredentialRules } from './credentials.ts';

const VERSION = '2016-11-15';

interface Question {
  readonly operation: OperationSchema;
  readonly input: Record<string, unknown>;
  readonly reader: string;
}

function read(sim: CloudSim, request: FastifyRequest, rules: CredentialRules): Question {
  const reader = checkCredentials(request.headers, rules, sim.clock.wallMs());
  const parameters = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  const action = parameters.get('Action');
  if (action === null) throw new Ec2Error('MissingAction', 'The request is missing an action');
  if (parameters.get('Version') !== VERSION) {
    throw new Ec2Error('NoSuchVersion', `The requested version (${parameters.get('Version')}) of EC2 is not valid`);
  }
  const operation = operationSchema(action);
  if (!operation) throw new Ec2Error('InvalidAction', `The action ${action} is not valid for this web service.`);
  const input = readQuery(operation, parameters);
  const problem = checkInput(action, input);
  if (problem) throw new Ec2Error(problem.code, problem.message, problem.httpStatus);
  return { operation, input, reader };
}

const refuse = (reply: FastifyReply, error: { code: string; message: string; httpStatus: number }, requestId: string) =>
  reply
    .code(error.httpStatus)
    .type('text/xml;charset=UTF-8')
    .send(writeError(error.code, error.message, requestId));

/** The page is well-formed, so that an SDK takes it for an answer without members. */
export const FOREIGN_PAGE =
  '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Sign in</title></head><body><p>Sign in</p></body></html>';

/** One question in the EC2 Query protocol, for the unmodified SDK client. */
export async function answerQuery(
  sim: CloudSim,
  request: FastifyRequest,
  reply: FastifyReply,
  rules: CredentialRules,
): Promise<FastifyReply> {
  const requestId = `sim-${request.id}`;
  try {
    const { operation, input, reader } = read(sim, request, rules);
    const result = await sim.call(operation.action, input, { reader });
    if ('lost' in result) {
      void reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    if ('foreign' in result) return await reply.type('text/html').send(FOREIGN_PAGE);
    if ('error' in result) return await refuse(reply, result.error, requestId);
    return await reply.type('text/xml;charset=UTF-8').send(writeResponse(operation, result.output, requestId));
  } catch (error) {
    if (error instanceof Ec2Error) return refuse(reply, error, requestId);
    throw error;
  }
}
