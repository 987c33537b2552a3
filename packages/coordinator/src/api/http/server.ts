import type { Server as HttpsServer } from 'node:https';
import { type Clock, errorText, type Log, OperationError, type Random } from '@understudy/shared';
import Fastify, { type FastifyInstance } from 'fastify';
import { Access, type AccessSettings } from './access/access.ts';
import type { Tokens } from './access/token-book.ts';
import type { ApiSource, MetricsSource } from './api-source.ts';
import type { ClusterKeys } from './cluster-keys.ts';
import { ConnectionGate, type ConnectionLimits, type LimitCounts } from './connection-limits.ts';
import { addRoute } from './frame.ts';
import { addAnswerSignature, addIdentification } from './identification.ts';
import { openApiDocument } from './openapi/document.ts';
import { addRateLimits } from './rate-limits.ts';
import { addTargetCheck } from './request-target.ts';
import { OpenStreams } from './open-streams.ts';
import { Forwarding } from './peers/forwarding.ts';
import { Refusal } from './refusal.ts';
import { addRefusals, refuseConnection } from './refusals.ts';
import { ROUTES } from './registered.ts';
import type { ArtefactSource } from './artefacts.ts';
import type { Site } from './site.ts';

export interface HttpServer {
  /** The port the kernel gave when 0 was asked for. */
  readonly port: number;
  connections(): LimitCounts;
  /**
   * Takes over changed certificates. Where the authority of clients changed, all connections end.
   */
  setTls(tls: ServerTls): void;
  /** Stops listening and ends idle connections at once. Idempotent. */
  close(): Promise<void>;
}

/** Certificates as PEM. */
export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The authority of client certificates. Null: none are asked for. */
  readonly clientCa: Buffer | null;
  /** The authority of the other coordinators' certificates. Null: those that Node trusts. */
  readonly peerCa: Buffer | null;
}

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly coordinatorId: string;
  /**
   * Null while the process is still being put together. Every path but `/healthz` then answers 503.
   */
  readonly api: () => ApiSource | null;
  readonly metrics: () => MetricsSource | null;
  readonly access: AccessSettings;
  /** Who may show what, as it is now. Another object when it has changed. */
  readonly tokens: () => Tokens;
  readonly keys: ClusterKeys;
  /** Null: it is served without TLS. */
  readonly tls: ServerTls | null;
  /** The dashboard. Null or absent: it is not built, and `/` says so. */
  readonly site?: Site | null;
  readonly artefacts?: ArtefactSource | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Default: {@link DEFAULT_HTTP_LIMITS}. */
  readonly limits?: HttpLimits;
}

export interface HttpLimits extends ConnectionLimits {
  /** A connection without a complete header is closed after this time, in ms. */
  readonly headersTimeoutMs: number;
  /** How often one caller may ask. */
  readonly requestsPerMinute: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  connections: 256,
  connectionsPerAddress: 64,
  headersTimeoutMs: 5_000,
  requestsPerMinute: 1_200,
};

/** Raised when a reader of the API has to change. */
export const API_VERSION = '1.0.0';

/** The value is made when first asked for. */
function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => (made ??= make());
}

/** What a body may have where none is wanted: it is read and forgotten. */
const UNWANTED_BODY_BYTES_MAX = 4_096;
const REQUEST_TIMEOUT_MS = 10_000;
const REQUEST_ID_BYTES = 8;

const secureContextOf = ({ cert, key, clientCa }: ServerTls) => ({
  ...{ cert, key },
  ...(clientCa === null ? {} : { ca: clientCa }),
});

/** A certificate that nobody vouches for is let through as none: a token may be shown beside it. */
const tlsOptionsOf = (tls: ServerTls, handshakeTimeout: number) => ({
  ...secureContextOf(tls),
  ...{ handshakeTimeout, requestCert: tls.clientCa !== null, rejectUnauthorized: false },
});

function fastifyOf({ limits = DEFAULT_HTTP_LIMITS, tls, random }: HttpServerOptions): FastifyInstance {
  const http = { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: 1_000 };
  // Which kind of server listens makes no difference to any route.
  const server: FastifyInstance = Fastify({
    logger: false,
    bodyLimit: UNWANTED_BODY_BYTES_MAX,
    genReqId: () => random.hex(REQUEST_ID_BYTES),
    requestIdHeader: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.headersTimeoutMs,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    clientErrorHandler: (error, socket) => refuseConnection(error, socket, random.hex(REQUEST_ID_BYTES)),
    ...(tls === null ? { http } : { https: { ...http, ...tlsOptionsOf(tls, limits.headersTimeoutMs) } }),
  });
  return server;
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

function addApi(server: FastifyInstance, options: HttpServerOptions, peerCa: () => Buffer | null): OpenStreams {
  const { coordinatorId, keys, tokens, clock, random, log } = options;
  const ready = <T>(source: T | null): T => {
    if (source === null) throw new Refusal('STARTING', 'this coordinator is still put together');
    return source;
  };
  const access = new Access({ coordinatorId, keys, tokens, clock, random, settings: options.access });
  const forwarding = new Forwarding({ coordinatorId, keys, clock, log, peerCa });
  const streams = new OpenStreams(clock, access);
  const sources = { api: () => ready(options.api()), metrics: () => ready(options.metrics()) };
  const description = once(() => openApiDocument(ROUTES, API_VERSION));
  const { site = null, artefacts = null } = options;
  const context = { ...sources, description, access, streams, clock, log, site, artefacts };
  addBodies(server);
  addTargetCheck(server);
  addIdentification(server, access);
  addRateLimits(server, clock, (options.limits ?? DEFAULT_HTTP_LIMITS).requestsPerMinute);
  addAnswerSignature(server, coordinatorId, keys);
  addRefusals(server, ROUTES, log);
  for (const route of ROUTES) addRoute(server, route, { access, forwarding, context });
  return streams;
}

/**
 * The coordinator's HTTP face. Followers answer from their own view of etcd, and pass on what only
 * the leader can do.
 * @throws CONFIG_INVALID when the address cannot be bound (in use, not ours, privileged).
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, limits = DEFAULT_HTTP_LIMITS } = options;
  let { tls } = options;
  const server = fastifyOf(options);
  const gate = new ConnectionGate(server.server, limits);
  const streams = addApi(server, options, () => tls?.peerCa ?? null);
  try {
    await server.listen({ host, port });
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `cannot listen on ${host}:${port}: ${errorText(cause)}`, { cause });
  }
  const address = server.server.address();
  let closing: Promise<void> | null = null;
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    connections: () => gate.counts,
    setTls: (changed) => {
      if (tls === null) return;
      (server.server as unknown as HttpsServer).setSecureContext(secureContextOf(changed));
      const isSameAuthority = (changed.clientCa ?? NO_BYTES).equals(tls.clientCa ?? NO_BYTES);
      tls = changed;
      // Who was let in by the former authority has to show itself again.
      if (!isSameAuthority) server.server.closeAllConnections();
    },
    close: () => {
      streams.close();
      return (closing ??= server.close().then(() => undefined));
    },
  };
}

const NO_BYTES = Buffer.alloc(0);
