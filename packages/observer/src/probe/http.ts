import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { type Endpoint, type ProbeReport, type ServiceProbe, statusPasses } from '@understudy/shared';
import { type Ending, type LookLimits, oneLook } from './one-look.ts';
import { answered, answerFault } from './socket-faults.ts';
import { tlsOptions } from './tls.ts';

export type HttpProbe = Extract<ServiceProbe, { kind: 'http' }>;

const BODY_BYTES_MAX = 65_536;
const HEADER_BYTES_MAX = 16_384;

/**
 * One GET on a connection of its own. Passes by status, and by what stands in the first 64 KiB of
 * the body where the probe asks.
 */
export function probeHttp(
  probe: HttpProbe,
  to: Endpoint,
  ca: string | undefined,
  limits: LookLimits,
): Promise<ProbeReport> {
  return oneLook(limits, (ending) => {
    const request = open(probe, to, ca);
    request.once('socket', (socket: Socket) => {
      if (socket.connecting) socket.once('connect', ending.connected);
      else ending.connected();
    });
    request.once('response', (response) => judge(probe, response, ending));
    request.on('error', (error) => ending.fail(error, (later) => answerFault(later, faultOf(later))));
    request.end();
    return request;
  });
}

function open(probe: HttpProbe, to: Endpoint, ca: string | undefined): ClientRequest {
  const { path, serverName, verify } = probe;
  const host = to.address.includes(':') ? `[${to.address}]` : to.address;
  const common = {
    method: 'GET',
    path,
    // An agent keeps sockets; a look must not.
    agent: false as const,
    maxHeaderSize: HEADER_BYTES_MAX,
    headers: {
      host: `${serverName ?? host}:${to.port}`,
      'user-agent': 'understudy-probe',
      connection: 'close',
    },
  };
  if (!probe.tls) return requestHttp({ ...common, host: to.address, port: to.port });
  return requestHttps({ ...common, ...tlsOptions(to, { serverName, verify, ca }) });
}

/** llhttp's complaints (`HPE_…`) are about what was sent. */
function faultOf(error: unknown): 'HttpMalformed' | 'ClosedEarly' | 'TlsFailed' {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return 'HttpMalformed';
  return /SSL|TLS/.test(code) || code === 'EPROTO' ? 'TlsFailed' : 'ClosedEarly';
}

function judge(probe: HttpProbe, response: IncomingMessage, { settle, fail }: Ending): void {
  const httpStatus = response.statusCode ?? 0;
  if (!statusPasses(httpStatus, probe.expectStatus)) return settle(answered('HttpStatus', { httpStatus }));
  if (probe.bodyContains === undefined) return settle(answered('Passing', { httpStatus }));
  const wanted = Buffer.from(probe.bodyContains);
  let body = Buffer.alloc(0);
  const missing = () => settle(answered('BodyWithoutText', { httpStatus }));
  response.on('data', (chunk: Buffer) => {
    body = Buffer.concat([body, chunk.subarray(0, BODY_BYTES_MAX - body.length)]);
    if (body.includes(wanted)) settle(answered('Passing', { httpStatus }));
    else if (body.length >= BODY_BYTES_MAX) missing();
  });
  response.once('end', missing);
  response.on('error', (error) => fail(error, (later) => answerFault(later, 'ClosedEarly')));
}
