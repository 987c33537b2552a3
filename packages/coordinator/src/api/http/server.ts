import { type Clock, errorText, type Log, OperationError, type Random } from '@understudy/shared';
import Fastify, { type FastifyInstance } from 'fastify';
import type { ApiSource, MetricsSource } from './api-source.ts';
import { ConnectionGate, type ConnectionLimits, type LimitCounts } from './connection-limits.ts';
import { addRoute } from './frame.ts';
import { Refusal } from './refusal.ts';
import { addRefusals } from './refusals.ts';
import { ROUTES } from './registered.ts';
import type { RouteContext } from './route.ts';

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
  readonly random: Random;
  readonly log: Log;
  /** Default: {@link DEFAULT_HTTP_LIMITS}. */
  readonly limits?: HttpLimits;
}

export interface HttpLimits extends ConnectionLimits {
  /** A connection without a complete header is closed after this time, in ms. */
  readonly headersTimeoutMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = { connections: 256, connectionsPerAddress: 64, headersTimeoutMs: 5_000 };

/** What a body may have where none is wanted: it is read and forgotten. */
const UNWANTED_BODY_BYTES_MAX = 4_096;
const REQUEST_TIMEOUT_MS = 10_000;

function contextOf(options: HttpServerOptions): RouteContext {
  const ready = <T>(source: T | null): T => {
    if (source === null) throw new Refusal('STARTING', 'this coordinator is still put together');
    return source;
  };
  return {
    api: () => ready(options.api()),
    metrics: () => ready(options.metrics()),
    operatorToken: options.operatorToken ?? null,
    clock: options.clock,
    log: options.log,
  };
}

/** Bodies are JSON. One of another kind is not read. */
function addBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  server.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume();
    done(null);
  });
}

/**
 * The coordinator's HTTP face. Followers answer from their own view of etcd.
 * @throws CONFIG_INVALID when the address cannot be bound (in use, not ours, privileged).
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { limits = DEFAULT_HTTP_LIMITS } = options;
  const server = Fastify({
    logger: false,
    bodyLimit: UNWANTED_BODY_BYTES_MAX,
    genReqId: () => options.random.hex(8),
    requestIdHeader: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.headersTimeoutMs,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: 1_000 },
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
  });
  const gate = new ConnectionGate(server.server, limits);
  addBodies(server);
  server.addHook('onRequest', async (request, reply) => void reply.header('request-id', request.id));
  addRefusals(server, ROUTES, options.log);
  const context = contextOf(options);
  for (const route of ROUTES) addRoute(server, route, context);
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
