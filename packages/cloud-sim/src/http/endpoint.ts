import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CloudSim } from '../cloud-sim.ts';
import { Ec2Error } from '../core/ec2-error.ts';
import { checkInput } from '../schema/check-input.ts';
import { operationSchema } from '../schema/operations.ts';
import { type Service, SERVICES } from '../services.ts';
import { checkCredentials, type CredentialRules } from './credentials.ts';
import type { Question, WireReply, WireRequest } from './protocols/protocol.ts';

/** Well-formed, so that an SDK takes it for an answer without members. */
const FOREIGN_PAGE =
  '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Sign in</title></head><body><p>Sign in</p></body></html>';

/** @throws Ec2Error */
function read(service: Service, request: WireRequest): Question {
  const question = service.protocol.read(request, (name) => operationSchema(`${service.prefix}${name}`));
  const problem = checkInput(question.operation.action, question.input);
  if (problem) throw new Ec2Error(problem.code, problem.message, problem.httpStatus);
  return question;
}

const send = (reply: FastifyReply, { status, contentType, body, headers = {} }: WireReply): FastifyReply =>
  reply.code(status).headers(headers).type(contentType).send(body);

/** One question to one of the services, for the unmodified SDK client. */
export async function answer(
  sim: CloudSim,
  request: FastifyRequest,
  reply: FastifyReply,
  rules: CredentialRules,
): Promise<FastifyReply> {
  const requestId = `sim-${request.id}`;
  const { method, url, headers } = request;
  const wire = { method, url, headers, body: typeof request.body === 'string' ? request.body : '' };
  const service = SERVICES.find(({ protocol }) => protocol.owns(wire));
  if (!service) throw new Error("EC2 takes what is nobody else's");
  const { protocol, inOwnWords } = service;
  if (protocol.requestIdHeader !== null) void reply.header(protocol.requestIdHeader, requestId);
  try {
    const reader = checkCredentials(request.headers, rules, sim.clock.wallMs(), service.name);
    const { operation, input } = read(service, wire);
    const caller = { requestId, userAgent: String(headers['user-agent'] ?? '') };
    const result = await sim.call(operation.action, input, { reader, caller });
    if ('lost' in result) {
      void reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
    if ('foreign' in result) return await reply.type('text/html').send(FOREIGN_PAGE);
    if ('error' in result) return await send(reply, protocol.refuse(inOwnWords(result.error), requestId));
    return await send(reply, protocol.write(operation, result.output, requestId));
  } catch (error) {
    if (error instanceof Ec2Error) return send(reply, protocol.refuse(inOwnWords(error), requestId));
    throw error;
  }
}
