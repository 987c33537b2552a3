import { type Clock, errorText, isName, type Log, OperationError } from '@understudy/shared';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { ApiSource, MetricsSource } from './api-source.ts';
import { ConnectionGate, type ConnectionLimits, type LimitCounts } from './connection-limits.ts';
import { askLeader, FORWARDED_HEADER } from './ask-leader.ts';
import { readerOf, withoutConsole } from './operator-access.ts';
import { addOperatorRoutes, COMMAND_PATHS } from './operator-routes.ts';

export interface HttpServer {
  /** The port the kernel gave when 0 was asked for. */
  readonly port: number;
  connections(): LimitCounts;
  /** Stops listening and ends idle connections at once. Idempotent. */
  close(): Promise<void>;
}

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  /**
   * Null while the process is still being put together. Every path but `/healthz` then answers 503.
   */
  readonly api: () => ApiSource | null;
  readonly metrics: () => MetricsSource | null;
  /**
   * The token an operator shows as `Authorization: Bearer`. Null or absent: nobody is an operator.
   */
  readonly operatorToken?: string | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: {@link DEFAULT_HTTP_LIMITS}. */
  readonly limits?: HttpLimits;
}

export interface HttpLimits extends ConnectionLimits {
  /** A connection without a complete header is closed after this time, in ms. */
  readonly headersTimeoutMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = { connections: 256, connectionsPerAddress: 64, headersTimeoutMs: 5_000 };

/** No request of ours has a body; this only bounds what a stranger may send. */
const BODY_BYTES_MAX = 4_096;
const REQUEST_TIMEOUT_MS = 10_000;
const HISTORY_MAX = 1_000;
const HISTORY_DEFAULT = 100;

const PATHS = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/v1/status',
  '/v1/members',
  '/v1/members/:group/:name/explain',
  '/v1/keys',
  '/v1/recoveries',
  '/v1/leftovers',
  '/v1/holds',
  '/v1/history',
  ...COMMAND_PATHS,
] as const;

/**
 * True when a path without its query fits one of ours. A part that begins with `:` fits any one
 * part.
 */
const fits = (path: string, known: string): boolean =>
  new RegExp(`^${known.replaceAll(/:[a-z]+/g, '[^/]+')}/?$`).test(path);
const isKnown = (path: string): boolean => PATHS.some((known) => fits(path, known));
const isCommand = (path: string): boolean => COMMAND_PATHS.some((known) => fits(path, known));

interface ErrorBody {
  readonly error: { readonly code: string; readonly text: string };
}
const errorBody = (code: string, text: string): ErrorBody => ({ error: { code, text } });

function historyLimit(text: string | undefined): number | null {
  if (text === undefined) return HISTORY_DEFAULT;
  const limit = Number(text);
  return Number.isInteger(limit) && limit >= 1 && limit <= HISTORY_MAX ? limit : null;
}

const NOT_THE_TOKEN = errorBody('UNAUTHENTICATED', 'this is not the operator token of this coordinator');

class Starting extends Error {
  readonly statusCode = 503;
}

/**
 * A follower passes the question on to the leader, which alone knows everything. Without an answer
 * from there it says what it knows itself.
 */
function addExplain(server: FastifyInstance, api: () => ApiSource, { clock, operatorToken }: HttpServerOptions): void {
  server.get<{ Params: { group: string; name: string } }>(
    '/v1/members/:group/:name/explain',
    async (request, reply) => {
      const { group, name } = request.params;
      const source = api();
      const own = isName(group) && isName(name) ? source.explain(`${group}/${name}`) : null;
      const leaderUrl = request.headers[FORWARDED_HEADER] === undefined ? source.leaderUrl() : null;
      if (own === null) return reply.code(404).send(errorBody('NOT_FOUND', `no member ${group}/${name} is known here`));
      const reader = readerOf(request.headers.authorization, operatorToken ?? null);
      if (reader === 'refused') return reply.code(401).header('www-authenticate', 'Bearer').send(NOT_THE_TOKEN);
      const token = reader === 'operator' ? (operatorToken ?? null) : null;
      const view = (leaderUrl && (await askLeader(clock, leaderUrl, own.member, token))) || own;
      return reply.send(reader === 'operator' ? view : withoutConsole(view));
    },
  );
}

function addRoutes(server: FastifyInstance, options: HttpServerOptions): void {
  const ready = <T>(source: T | null): T => {
    if (source === null) throw new Starting('still starting');
    return source;
  };
  const api = () => ready(options.api());
  server.get('/healthz', () => ({ healthy: true }));
  server.get('/readyz', (_, reply) => {
    const problems = api().notReady();
    return reply.code(problems.length === 0 ? 200 : 503).send({ ready: problems.length === 0, problems });
  });
  server.get('/metrics', async (_, reply) => {
    const metrics = ready(options.metrics());
    return reply.type(metrics.contentType).send(await metrics.text());
  });
  server.get('/v1/status', () => api().status());
  server.get('/v1/members', () => ({ members: api().members(), notEnrolled: api().notEnrolled() }));
  addExplain(server, api, options);
  addOperatorRoutes(server, { api, operatorToken: options.operatorToken ?? null, clock: options.clock });
  server.get('/v1/keys', () => api().keys());
  server.get('/v1/recoveries', () => api().recoveries());
  server.get('/v1/leftovers', () => ({ leftovers: api().leftovers() }));
  server.get('/v1/holds', () => ({ holds: api().holds() }));
  server.get<{ Querystring: { member?: string; limit?: string } }>('/v1/history', (request, reply) => {
    const limit = historyLimit(request.query.limit);
    if (limit === null)
      return reply.code(400).send(errorBody('BAD_REQUEST', `limit is a whole number from 1 to ${HISTORY_MAX}`));
    return reply.send({ history: api().history(request.query.member ?? null, limit) });
  });
}

function addRefusals(server: FastifyInstance, log: Log): void {
  server.setNotFoundHandler((request, reply): FastifyReply => {
    const path = request.url.split('?')[0] ?? '';
    if (isCommand(path))
      return reply
        .code(405)
        .header('allow', 'POST')
        .send(errorBody('METHOD_NOT_ALLOWED', `${path} is a command: POST it, with the operator token`));
    if (isKnown(path))
      return reply
        .code(405)
        .header('allow', 'GET, HEAD')
        .send(errorBody('METHOD_NOT_ALLOWED', `${path} is read-only`));
    return reply.code(404).send(errorBody('NOT_FOUND', `no such path; there is ${PATHS.join(', ')}`));
  });
  server.setErrorHandler((error: unknown, request, reply) => {
    if (error instanceof Starting) return reply.code(503).send(errorBody('STARTING', error.message));
    const given =
      typeof error === 'object' && error !== null && 'statusCode' in error ? Number(error.statusCode) : Number.NaN;
    const status = given >= 400 && given < 500 ? given : 500;
    if (status === 500) log.error('http.failed', { path: request.url, error: errorText(error) });
    return reply
      .code(status)
      .send(errorBody(status === 500 ? 'INTERNAL' : 'BAD_REQUEST', status === 500 ? 'see the log' : errorText(error)));
  });
}

/**
 * The coordinator's read-only HTTP face. Followers answer from their own view of etcd.
 * @throws CONFIG_INVALID when the address cannot be bound (in use, not ours, privileged).
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { limits = DEFAULT_HTTP_LIMITS } = options;
  const server = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.headersTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: 1_000 },
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
  });
  const gate = new ConnectionGate(server.server, limits);
  // A body is neither wanted nor parsed. The request is refused as a method or a path, whatever its
  // type.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null);
  });
  addRoutes(server, options);
  addRefusals(server, options.log);
  try {
    await server.listen({ host: options.host, port: options.port });
  } catch (cause) {
    throw new OperationError(
      'CONFIG_INVALID',
      `cannot listen on ${options.host}:${options.port}: ${errorText(cause)}`,
      {
        cause,
      },
    );
  }
  const address = server.server.address();
  let closing: Promise<void> | null = null;
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    connections: () => gate.counts,
    close: () => (closing ??= server.close().then(() => undefined)),
  };
}
