import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorText, type Log, PROBLEM_MEDIA_TYPE, problemDetails } from '@understudy/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from './refusal.ts';
import type { AnyRoute } from './route.ts';

/** fastify's own codes that say what was wrong with a request. */
const BY_FASTIFY_CODE: Readonly<Record<string, ConstructorParameters<typeof Refusal>>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'the body is larger than this path takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNKNOWN', 'want content-type: application/json'],
};

const field = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined;

/** The refusal that an error means for the caller. What nobody expected is a bug. */
function refusalOf(error: unknown, path: string, log: Log, requestId: string): Refusal {
  if (error instanceof Refusal) return error;
  const known = BY_FASTIFY_CODE[String(field(error, 'code'))];
  if (known) return new Refusal(...known);
  const status = Number(field(error, 'statusCode'));
  if (status >= 400 && status < 500) return new Refusal('BAD_REQUEST', errorText(error));
  log.error('http.failed', { path, requestId, error: errorText(error) });
  return new Refusal('INTERNAL', 'the log of this coordinator has the reason');
}

const factsOf = ({ facts }: Refusal) => (facts === null ? {} : { facts });

export function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  return reply
    .code(refusal.status)
    .headers({ ...refusal.headers })
    .type(PROBLEM_MEDIA_TYPE)
    .send(JSON.stringify({ ...problemDetails(refusal.code, refusal.message, request.id), ...factsOf(refusal) }));
}

/** What Node says of a request that never became one. */
const BY_NODE_CODE: Readonly<Record<string, ConstructorParameters<typeof Refusal>>> = {
  HPE_HEADER_OVERFLOW: ['HEADER_TOO_LARGE', 'the header is larger than 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request did not arrive in time'],
};

/**
 * Answers, as well as that can be done, what could not be read as HTTP, and ends the connection.
 */
export function refuseConnection(error: Error & { readonly code?: string }, socket: Duplex, requestId: string): void {
  // What failed before or below HTTP (a reset, a TLS handshake) can be answered nothing: an answer
  // would wait for the other side, and with it the connection.
  const isHttp = /^(?:HPE_|ERR_HTTP_)/.test(error.code ?? '');
  if (!isHttp || !socket.writable) return void socket.destroy();
  const refusal = new Refusal(...(BY_NODE_CODE[error.code ?? ''] ?? ['BAD_REQUEST', 'this is no HTTP request']));
  const body = JSON.stringify(problemDetails(refusal.code, refusal.message, requestId));
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** True when a path fits the pattern of a route. A part that begins with `:` fits any one part. */
const fits = (path: string, pattern: string): boolean =>
  new RegExp(`^${pattern.replaceAll('.', String.raw`\.`).replaceAll(/:[a-zA-Z]+/g, '[^/]+')}/?$`).test(path);

function unknownPath(routes: readonly AnyRoute[], url: string): Refusal {
  const path = url.split('?')[0] ?? '';
  const methods = routes.filter((route) => fits(path, route.path)).map(({ method }) => method);
  if (methods.length === 0) return new Refusal('PATH_UNKNOWN', 'no such path');
  const allow = [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].join(', ');
  return new Refusal('METHOD_NOT_ALLOWED', `this path takes ${allow}`, { allow });
}

/** One form for every refusal: problem+json, whoever found the fault. */
export function addRefusals(server: FastifyInstance, routes: readonly AnyRoute[], log: Log): void {
  server.setNotFoundHandler((request, reply) => refuse(request, reply, unknownPath(routes, request.url)));
  server.setErrorHandler((error: unknown, request, reply) =>
    refuse(request, reply, refusalOf(error, request.url, log, request.id)),
  );
}
