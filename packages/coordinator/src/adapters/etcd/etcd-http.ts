import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { durationText, type Clock } from '@understudy/shared';
import * as z from 'zod';

export interface EtcdHttpOptions {
  /** `http://host:port` or `https://host:port`, as for gRPC. */
  readonly host: string;
  readonly clock: Clock;
  readonly callTimeoutMs: number;
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/** etcd's own answers are below 200 bytes. A longer answer comes from another server. */
const ANSWER_BYTES_MAX = 4_096;

/** `GET /version` of etcd 3.x. A proxy's page, or another server's JSON, is no version. */
const VersionSchema = z.object({ etcdserver: z.string().regex(/^v?\d+\.\d+\.\d+/), etcdcluster: z.string() });
/** `GET /health`; `reason` is `ALARM NOSPACE` and the like. */
const HealthSchema = z.object({ health: z.enum(['true', 'false']), reason: z.string().default('') });

/**
 * Version of the member behind this host, which etcd tells everybody who may connect.
 * @throws an Error saying why there is none.
 */
export async function httpVersion(options: EtcdHttpOptions): Promise<string> {
  const { status, body } = await get(options, '/version');
  const parsed = VersionSchema.safeParse(jsonOf(body));
  if (status === 200 && parsed.success) return parsed.data.etcdserver;
  throw new Error(`GET /version answered ${status} without etcd's version in it: ${JSON.stringify(body.slice(0, 60))}`);
}

/**
 * Alarms as `GET /health` tells them. This needs no rights either.
 * @throws an Error when it is not etcd's answer.
 */
export async function httpAlarms(options: EtcdHttpOptions): Promise<string> {
  const { body } = await get(options, '/health');
  return HealthSchema.parse(jsonOf(body)).reason;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * One GET, without redirects, on a connection of its own. The deadline runs on our monotonic clock.
 */
function get(options: EtcdHttpOptions, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const { host, clock, callTimeoutMs, tls = {} } = options;
  return new Promise((resolve, reject) => {
    const url = new URL(path, host);
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, { agent: false, ...tls }, (response) => void collect(response).then(resolve, reject));
    const timer = clock.setTimer(callTimeoutMs, () =>
      request.destroy(new Error(`GET ${path}: no answer within ${durationText(callTimeoutMs)}`)),
    );
    request.on('error', reject);
    request.on('close', () => timer.cancel());
    request.end();
  });
}

async function collect(response: IncomingMessage): Promise<{ readonly status: number; readonly body: string }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes is not etcd's`);
    chunks.push(part);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}
