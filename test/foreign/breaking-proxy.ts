import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { FORMS, type Form, type FormName } from './forms.ts';

export interface Breakage {
  /** EC2 action, or `*`. */
  readonly action: string;
  readonly form: FormName;
  /** Is the request passed on to EC2 before the answer is broken? */
  readonly applied: boolean;
  /** Default 1. */
  readonly times?: number;
}

interface Active {
  readonly breakage: Breakage;
  left: number;
  readonly broken: string[];
}

/**
 * Stands between an EC2 client and its endpoint, passes everything on, and breaks the answers it is
 * told to. Loopback only.
 */
export class BreakingProxy {
  readonly #upstream: URL;
  readonly #active: Active[] = [];
  readonly #calls = new Map<string, number>();
  #server: Server | null = null;

  constructor(upstream: string) {
    this.#upstream = new URL(upstream);
  }

  /** @returns its own URL. */
  async listen(host = '127.0.0.1', port = 0): Promise<string> {
    const server = createServer(
      (request, response) => void this.#serve(request, response).catch(() => request.socket.destroy()),
    );
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    const address = server.address();
    return `http://${host}:${typeof address === 'object' && address ? address.port : port}`;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  /** @returns how often it has struck so far, by action. */
  break(breakage: Breakage): { readonly struck: () => readonly string[]; readonly end: () => void } {
    const active: Active = { breakage, left: breakage.times ?? 1, broken: [] };
    this.#active.push(active);
    return { struck: () => active.broken, end: () => void (active.left = 0) };
  }

  /** Everything is passed on as it is. */
  clear(): void {
    this.#active.length = 0;
  }

  /** Requests of an action that were passed on. */
  passedOn(action: string): number {
    return this.#calls.get(action) ?? 0;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const action = new URLSearchParams(body).get('Action') ?? '';
    const active = this.#active.find(
      ({ breakage, left }) => left > 0 && (breakage.action === action || breakage.action === '*'),
    );
    if (active) {
      active.left -= 1;
      active.broken.push(action);
    }
    const answer = active && !active.breakage.applied ? null : await this.#passOn(request, body, action);
    if (!active) {
      response.writeHead(answer?.status ?? 502, answer?.headers ?? {}).end(answer?.body ?? '');
      return;
    }
    const form: Form = FORMS[active.breakage.form];
    if (form.closes) {
      request.socket.destroy();
      return;
    }
    if (form.delayMs !== undefined) await wait(form.delayMs);
    const headers = form.contentType === '' ? {} : { 'content-type': form.contentType };
    response.writeHead(form.status, headers).end(form.body(action, answer?.body ?? ''));
  }

  async #passOn(request: IncomingMessage, body: string, action: string) {
    this.#calls.set(action, (this.#calls.get(action) ?? 0) + 1);
    return new Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: string }>(
      (resolve, reject) => {
        const { hostname, port } = this.#upstream;
        const onward = httpRequest(
          // The signature covers the host the client named.
          { hostname, port, path: request.url, method: request.method, headers: { ...request.headers } },
          (answer) =>
            void textOf(answer).then(
              (text) => resolve({ status: answer.statusCode ?? 502, headers: headersOf(answer), body: text }),
              reject,
            ),
        );
        onward.on('error', reject);
        onward.end(body);
      },
    );
  }
}

const headersOf = ({ headers }: IncomingMessage): Record<string, string | string[] | undefined> => {
  const { 'transfer-encoding': _encoding, connection: _connection, 'content-length': _length, ...rest } = headers;
  return rest;
};

async function textOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
