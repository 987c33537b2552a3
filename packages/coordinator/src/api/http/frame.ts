import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { type Access, headerOf, type Identified } from './access/access.ts';
import { admit, nobody } from './access/caller.ts';
import { type Forwarded, Forwarding } from './peers/forwarding.ts';
import { PEER_HEADER, sha256Of } from './peers/peer-signature.ts';
import { Refusal } from './refusal.ts';
import type { AnyRoute, Answer, Asked, RouteContext } from './route.ts';

/** What a body may have where one is taken. */
export const BODY_BYTES_MAX = 262_144;

/** Longer than the leader needs for one write to etcd, and below the CLI's own limit. In ms. */
const COMMAND_TIMEOUT_MS = 6_000;
/**
 * The leader answers reads from memory. When it takes longer than this, our own answer is better.
 * Below the CLI's own limit of 3 s.
 */
const READ_TIMEOUT_MS = 1_500;
/** How soon a caller may ask again when nobody leads. In seconds, as text. */
const NO_LEADER_RETRY_SECONDS = '2';

export interface FrameOptions {
  readonly access: Access;
  readonly forwarding: Forwarding;
  readonly context: RouteContext;
}

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

function jsonOf({ body }: FastifyRequest): unknown {
  if (typeof body !== 'string')
    throw new Refusal('MEDIA_TYPE_UNKNOWN', 'want a body with content-type: application/json');
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal('BAD_REQUEST', 'the body is no JSON');
  }
}

const bodyTextOf = ({ body }: FastifyRequest): string => (typeof body === 'string' ? body : '');

/** The group that a command is about; null: none, undefined: it is no command. */
function commandedGroup({ role }: AnyRoute, params: unknown): string | null | undefined {
  if (role !== 'operate') return undefined;
  const group = typeof params === 'object' && params !== null && 'group' in params ? params.group : null;
  return typeof group === 'string' ? group : null;
}

/** @throws Refusal when the caller may not ask this. Nothing of a body is read before. */
export function admitTo(route: AnyRoute, { access }: FrameOptions, request: FastifyRequest): void {
  if (route.role === 'anybody') return;
  if (route.role === 'operate' && !access.hasOperators && request.headers[PEER_HEADER] === undefined)
    throw new Refusal(
      'OPERATOR_TOKEN_MISSING',
      'neither http.tokensFile nor anything else says here who is an operator: no commands are taken',
    );
  admit(request.identified().caller, route.role, commandedGroup(route, request.params));
}

const forwardedOf = (request: FastifyRequest, { caller }: Identified): Forwarded => ({
  ...{ method: request.method, path: request.url, body: bodyTextOf(request), caller, requestId: request.id },
  address: request.ip,
  ifMatch: headerOf(request.headers, 'if-match'),
  idempotencyKey: headerOf(request.headers, 'idempotency-key'),
});

/**
 * The leader's answer, where the route is for the leader and we do not lead. Null: we answer
 * ourselves.
 * @throws Refusal NO_LEADER, NOT_LEADER or LEADER_SILENT where only the leader can answer.
 */
async function answerOfLeader(
  route: AnyRoute,
  { forwarding, context }: FrameOptions,
  request: FastifyRequest,
  identified: Identified,
): Promise<Answer | null> {
  if (route.leader === undefined) return null;
  const leader = context.api().leader();
  if (leader === 'self') return null;
  const retry = { 'retry-after': NO_LEADER_RETRY_SECONDS };
  // One hop only, so that two followers never ask each other in circles.
  if (identified.peer !== null)
    throw new Refusal('NOT_LEADER', 'this coordinator was asked as leader, and leads not', retry);
  const isOnlyLeaders = route.leader === 'required';
  if (leader === null) {
    if (!isOnlyLeaders) return null;
    throw new Refusal('NO_LEADER', 'nobody leads, as far as is known here', retry);
  }
  try {
    const timeoutMs = isOnlyLeaders ? COMMAND_TIMEOUT_MS : READ_TIMEOUT_MS;
    const answer = await forwarding.send(leader, forwardedOf(request, identified), timeoutMs);
    return isOnlyLeaders || answer.status === 200 ? answer : null;
  } catch (error) {
    if (isOnlyLeaders || !(error instanceof Refusal)) throw error;
    return null;
  }
}

const NOBODY: Identified = { caller: nobody('anybody'), session: null, peer: null };

/** What anybody may ask does not depend on what is shown. */
const identifiedFor = ({ role }: AnyRoute, request: FastifyRequest): Identified =>
  role === 'anybody' ? NOBODY : request.identified();

async function answerOf(
  route: AnyRoute,
  options: FrameOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Answer> {
  const params = checked<unknown>(route.params, request.params, 'path');
  const identified = identifiedFor(route, request);
  if (identified.peer !== null && sha256Of(bodyTextOf(request)) !== identified.peer.bodySha256)
    throw new Refusal('PEER_REFUSED', 'the body is not the one that the other coordinator signed');
  const answer = await answerOfLeader(route, options, request, identified);
  if (answer) return answer;
  const query = checked<unknown>(route.query, request.query, 'query');
  const body = route.body === undefined ? undefined : checked<unknown>(route.body, jsonOf(request), 'body');
  const { caller, session } = identified;
  const asked: Asked<unknown, unknown, unknown> = {
    ...{ params, query, body, caller, session, request, reply, requestId: request.id },
    ifMatch: headerOf(request.headers, 'if-match') || null,
    idempotencyKey: headerOf(request.headers, 'idempotency-key') || null,
  };
  return route.handle(asked as Asked<never, never, never>, options.context);
}

/** Makes the server answer a route: who asks, what is asked, the handler, the answer. */
export function addRoute(server: FastifyInstance, route: AnyRoute, options: FrameOptions): void {
  server.route({
    method: route.method,
    url: route.path,
    ...(route.body === undefined ? {} : { bodyLimit: BODY_BYTES_MAX }),
    preParsing: async (request) => admitTo(route, options, request),
    handler: async (request, reply) => {
      const answer = await answerOf(route, options, request, reply);
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
