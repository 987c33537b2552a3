import {
  AcceptedLossSchema,
  type Clock,
  isName,
  operatorFields,
  REQUEST_KINDS,
  type RequestKind,
} from '@understudy/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { OperatorAnswer, OperatorCommand } from '../../leader/operator-command.ts';
import type { ApiSource } from './api-source.ts';
import { FORWARDED_HEADER } from './ask-leader.ts';
import { readerOf } from './operator-access.ts';

export interface OperatorRoutesOptions {
  readonly api: () => ApiSource;
  /** Null: no token is configured, so every command is refused. */
  readonly operatorToken: string | null;
  readonly clock: Clock;
}

/** Longer than the leader needs for one write to etcd, and below the CLI's own limit. In ms. */
const FORWARD_TIMEOUT_MS = 6_000;

/** Body of `POST /v1/members/<group>/<name>/<command>`. */
const BodySchema = z.strictObject({
  ...operatorFields,
  opId: z.string().max(64).nullable().default(null),
  loss: AcceptedLossSchema.nullable().default(null),
  leaveOpen: z.boolean().default(false),
});

interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

const STATUS: Readonly<Partial<Record<(OperatorAnswer & { kind: 'refused' })['code'], number>>> = {
  MEMBER_UNKNOWN: 404,
  NO_OPEN_RECOVERY: 409,
  OTHER_RECOVERY: 409,
  NOT_STOPPED_BY_US: 409,
  CHANGED: 409,
  UNAVAILABLE: 503,
};

const isKind = (text: string): text is RequestKind => (REQUEST_KINDS as readonly string[]).includes(text);

/** Paths of commands, one per kind. All of them take POST only. */
export const COMMAND_PATHS = REQUEST_KINDS.map((kind) => `/v1/members/:group/:name/${kind}` as const);

/**
 * Why the caller may not give commands: only an operator may, and only where operators can be told
 * from others. Null: it is an operator.
 */
function accessRefusal(request: FastifyRequest, operatorToken: string | null): Refusal | null {
  if (operatorToken === null) {
    const text =
      'this coordinator has no http.operatorTokenFile, so it cannot tell who is an operator: it takes no commands';
    return { status: 403, code: 'OPERATOR_TOKEN_MISSING', text };
  }
  if (readerOf(request.headers.authorization, operatorToken) === 'operator') return null;
  const text = 'commands need the operator token: Authorization: Bearer …';
  return { status: 401, code: 'UNAUTHENTICATED', text };
}

function commandOf(kind: RequestKind, group: string, name: string, body: unknown): OperatorCommand | Refusal {
  const bad = (text: string): Refusal => ({ status: 400, code: 'BAD_REQUEST', text });
  let json: unknown;
  try {
    json = JSON.parse(typeof body === 'string' ? body : '');
  } catch {
    return bad('want a JSON body (content-type: application/json) with "by" and "why"');
  }
  const parsed = BodySchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return bad(`${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'does not fit'}`);
  }
  if ((kind === 'accept-loss') !== (parsed.data.loss !== null))
    return bad('accept-loss names a "loss" (address:eipalloc-… or volume:vol-…), other commands none');
  return { member: `${group}/${name}`, kind, ...parsed.data };
}

const refusing = (reply: FastifyReply, { status, code, text }: Refusal): FastifyReply =>
  (status === 401 ? reply.header('www-authenticate', 'Bearer') : reply).code(status).send({ error: { code, text } });

/**
 * `POST /v1/members/<group>/<name>/{retry,replan,accept-loss,abandon,recover}`. Any coordinator may
 * be asked; it passes the command to the leader.
 */
export function addOperatorRoutes(server: FastifyInstance, options: OperatorRoutesOptions): void {
  void server.register(async (scope) => {
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.post<{ Params: { group: string; name: string; command: string } }>(
      '/v1/members/:group/:name/:command',
      async (request, reply) => {
        const { group, name, command: kind } = request.params;
        if (!isKind(kind) || !isName(group) || !isName(name)) return reply.callNotFound();
        const source = options.api();
        const refusal = accessRefusal(request, options.operatorToken);
        if (refusal) return refusing(reply, refusal);
        const command = commandOf(kind, group, name, request.body);
        if ('status' in command) return refusing(reply, command);
        const leaderUrl = request.headers[FORWARDED_HEADER] === undefined ? source.leaderUrl() : null;
        if (leaderUrl !== null) return forward(options, leaderUrl, command, reply);
        const answer = await source.operate(command);
        if (answer.kind === 'refused') return refusing(reply, { ...answer, status: STATUS[answer.code] ?? 409 });
        return reply.code(202).send({ request: answer.request, repeated: answer.repeated });
      },
    );
  });
}

/**
 * Returns the leader's answer as it is. When the leader is silent there is no answer, and asking
 * again is harmless.
 */
async function forward(
  { clock, operatorToken }: OperatorRoutesOptions,
  leaderUrl: string,
  { member, kind, ...body }: OperatorCommand,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const limit = new AbortController();
  const timer = clock.setTimer(FORWARD_TIMEOUT_MS, () => limit.abort());
  try {
    const answer = await fetch(new URL(`/v1/members/${member}/${kind}`, leaderUrl), {
      method: 'POST',
      signal: limit.signal,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${operatorToken ?? ''}`,
        [FORWARDED_HEADER]: '1',
      },
      body: JSON.stringify(body),
      redirect: 'error',
    });
    return reply
      .code(answer.status)
      .type('application/json')
      .send(await answer.text());
  } catch {
    const text = `the leader does not answer at ${leaderUrl}; asking again is harmless`;
    return refusing(reply, { status: 503, code: 'UNAVAILABLE', text });
  } finally {
    timer.cancel();
  }
}
