import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { FORWARDED_HEADER } from './ask-leader.ts';
import { type Caller, callerOf, unauthenticated } from './caller.ts';
import { Refusal } from './refusal.ts';
import type { AnyRoute, Answer, Asked, RouteContext } from './route.ts';

/** What a body may have where one is taken. */
export const BODY_BYTES_MAX = 262_144;

const faultText = (error: z.ZodError, where: string): string => {
  const [issue] = error.issues;
  return `${[where, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'does not fit'}`;
};

function checked<T>(schema: z.ZodType<T> | undefined, value: unknown, where: string): T | undefined {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Refusal(where === 'path' ? 'PATH_UNKNOWN' : 'BAD_REQUEST', faultText(parsed.error, where));
}

function jsonOf(body: unknown): unknown {
  try {
    return JSON.parse(typeof body === 'string' ? body : '');
  } catch {
    throw new Refusal('BAD_REQUEST', 'want a JSON body (content-type: application/json)');
  }
}

/** @throws Refusal when the caller may not ask this. */
function admit(route: AnyRoute, authorization: string | undefined, operatorToken: string | null): Caller {
  if (route.role === 'operate' && operatorToken === null)
    throw new Refusal(
      'OPERATOR_TOKEN_MISSING',
      'this coordinator has no http.operatorTokenFile, so it cannot tell who is an operator: it takes no commands',
    );
  const caller = callerOf(authorization, operatorToken);
  if (route.role === 'operate' && caller.role !== 'operate')
    throw unauthenticated('commands need the operator token: Authorization: Bearer …');
  return caller;
}

async function answerOf(
  route: AnyRoute,
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Answer> {
  const params = checked<unknown>(route.params, request.params, 'path');
  const caller = admit(route, request.headers.authorization, context.operatorToken);
  const query = checked<unknown>(route.query, request.query, 'query');
  const body = route.body === undefined ? undefined : checked<unknown>(route.body, jsonOf(request.body), 'body');
  const asked: Asked<unknown, unknown, unknown> = {
    ...{ params, query, body, caller, request, reply },
    requestId: request.id,
    isForwarded: request.headers[FORWARDED_HEADER] !== undefined,
  };
  return route.handle(asked as Asked<never, never, never>, context);
}

/** Makes the server answer a route: who asks, what is asked, the handler, the answer. */
export function addRoute(server: FastifyInstance, route: AnyRoute, context: RouteContext): void {
  server.route({
    method: route.method,
    url: route.path,
    ...(route.body === undefined ? {} : { bodyLimit: BODY_BYTES_MAX }),
    handler: async (request, reply) => {
      const answer = await answerOf(route, context, request, reply);
      if (reply.sent) return reply;
      const mediaType = route.answers[answer.status]?.mediaType;
      if (mediaType !== undefined) void reply.type(mediaType);
      return reply
        .code(answer.status)
        .headers({ ...answer.headers })
        .send(answer.body);
    },
  });
}
