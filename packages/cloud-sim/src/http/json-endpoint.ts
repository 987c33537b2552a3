import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CloudSim } from '../cloud-sim.ts';
import type { CallError } from '../core/cloud-sim-core.ts';
import { Ec2Error } from '../core/ec2-error.ts';
import { kmsErrorOf } from '../core/kms/errors.ts';
import { KMS_PREFIX } from '../core/kms/index.ts';
import { checkInput } from '../schema/check-input.ts';
import { readJson, writeJson, writeJsonError } from '../schema/json-codec.ts';
import { type OperationSchema, operationSchema } from '../schema/operations.ts';
import { checkCredentials, type CredentialRules } from './credentials.ts';
import { FOREIGN_PAGE } from './query-endpoint.ts';

/** KMS's target in the `X-Amz-Target` header. */
const TARGET = /^TrentService\.([A-Za-z]+)$/;
const CONTENT_TYPE = 'application/x-amz-json-1.1';

interface Question {
  readonly operation: OperationSchema;
  readonly input: Record<string, unknown>;
  readonly reader: string;
}

function read(sim: CloudSim, request: FastifyRequest, rules: CredentialRules): Question {
  const reader = checkCredentials(request.headers, rules, sim.clock.wallMs(), 'kms');
  const action = `${KMS_PREFIX}${TARGET.exec(String(request.headers['x-amz-target']))?.[1] ?? ''}`;
  const operation = operationSchema(action);
  if (!operation) throw new Ec2Error('InvalidAction', 'The requested operation is not known');
  const input = bodyOf(request);
  const problem = checkInput(action, input);
  if (problem) throw new Ec2Error(problem.code, problem.message, problem.httpStatus);
  return { operation, input, reader };
}

function bodyOf(request: FastifyRequest): Record<string, unknown> {
  try {
    return readJson(typeof request.body === 'string' ? request.body : '');
  } catch {
    throw new Ec2Error('SerializationException', 'The body is no JSON');
  }
}

function refuse(reply: FastifyReply, error: CallError): FastifyReply {
  const { code, message, httpStatus } = kmsErrorOf(error);
  return reply.code(httpStatus).type(CONTENT_TYPE).send(writeJsonError(code, message));
}

/** One question in the JSON 1.1 protocol, for the unmodified SDK client. */
export async function answerJson(
  sim: CloudSim,
  request: FastifyRequest,
  reply: FastifyReply,
  rules: CredentialRules,
): Promise<FastifyReply> {
  void reply.header('x-amzn-requestid', `sim-${request.id}`);
  try {
    const { operation, input, reader } = read(sim, request, rules);
    const result = await sim.call(operation.action, input, { reader });
    if ('lost' in result) {
      void reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    if ('foreign' in result) return await reply.type('text/html').send(FOREIGN_PAGE);
    if ('error' in result) return await refuse(reply, result.error);
    return await reply.type(CONTENT_TYPE).send(writeJson(operation, result.output));
  } catch (error) {
    if (error instanceof Ec2Error) return refuse(reply, error);
    throw error;
  }
}
