import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, Random } from '@understudy/shared';
import type { CloudSim } from '../cloud-sim.ts';
import { type ImdsFaults, imdsContent } from './imds-content.ts';

const TTL_MAX_S = 21_600;
const TOKENS_MAX = 1_024;
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const TOKEN_HEADER = 'x-aws-ec2-metadata-token';

/** Those that cloud-init looks for, of the many EC2 has. All say the same here. */
const VERSIONS: readonly string[] = ['latest', '2021-03-23', '2018-09-24', '2016-09-02', '2009-04-04'];

const end = (response: ServerResponse, status: number, text = ''): void => {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
};

/**
 * IMDSv2 of one instance, on its own port. It stands for the link-local address in a network of one
 * machine. Version 1 is off.
 */
export class ImdsListener {
  readonly instanceId: string;
  faults: ImdsFaults = {};
  readonly #sim: CloudSim;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #host: string;
  readonly #server: Server;
  /** Token → monotonic ms of its expiry. Above {@link TOKENS_MAX} the oldest is dropped first. */
  readonly #tokens = new Map<string, number>();

  constructor(options: {
    readonly sim: CloudSim;
    readonly clock: Clock;
    readonly random: Random;
    readonly instanceId: string;
    /** Address to bind; default loopback. */
    readonly host?: string;
  }) {
    this.instanceId = options.instanceId;
    this.#sim = options.sim;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#host = options.host ?? '127.0.0.1';
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.unref();
  }

  /** Resolves with the port. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, this.#host, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.faults.unreachable) return;
    if (this.faults.throttled) return end(response, 429, 'Too Many Requests');
    if (request.headers['x-forwarded-for'] !== undefined) return end(response, 403, 'Forbidden');
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (request.method === 'PUT') return this.#giveToken(path, request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405);
    if (!this.#knows(request.headers[TOKEN_HEADER])) return end(response, 401, 'Unauthorized');
    const [, version = '', inside = ''] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
    if (!VERSIONS.includes(version)) return end(response, 404, 'Not Found');
    const content = imdsContent(this.#sim, this.instanceId, inside, this.faults);
    if (content === null) return end(response, 404, 'Not Found');
    end(response, 200, request.method === 'HEAD' ? '' : content);
  }

  #giveToken(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (path !== '/latest/api/token') return end(response, path.endsWith('/api/token') ? 403 : 405);
    const ttlS = Number(request.headers[TTL_HEADER]);
    if (!Number.isInteger(ttlS) || ttlS < 1 || ttlS > TTL_MAX_S) return end(response, 400, 'Bad Request');
    const token = this.#random.hex(28);
    this.#tokens.set(token, this.#clock.monotonicMs() + ttlS * 1_000);
    const oldest = this.#tokens.size > TOKENS_MAX ? this.#tokens.keys().next().value : undefined;
    if (oldest !== undefined) this.#tokens.delete(oldest);
    response.writeHead(200, { 'content-type': 'text/plain', [TTL_HEADER]: String(ttlS) }).end(token);
  }

  #knows(token: string | string[] | undefined): boolean {
    const expiresAtMs = typeof token === 'string' ? this.#tokens.get(token) : undefined;
    return expiresAtMs !== undefined && this.#clock.monotonicMs() < expiresAtMs;
  }
}
