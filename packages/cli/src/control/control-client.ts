import {
  type CommandResult,
  CommandResultSchema,
  OperationError,
  type ProblemDetails,
  ProblemDetailsSchema,
} from '@understudy/shared';
import { whyNoAnswer } from '@understudy/shared/node';
import type * as z from 'zod';
import { fetchWith } from '../client/fetch-with.ts';
import { type ClientOptions, clusterOf } from '../options/client-options.ts';
import type { ProgramContext } from '../program-context.ts';

/** Long enough for the leader's reads of EC2 or its one write, and for a follower to forward. */
const ASK_TIMEOUT_MS = 10_000;

export type Method = 'GET' | 'POST' | 'PUT';

export interface Sent {
  readonly method: Method;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A coordinator has refused what was asked, and nothing was done. */
export class CommandRefused extends OperationError {
  readonly problem: ProblemDetails;

  constructor(problem: ProblemDetails) {
    super('REQUEST_REFUSED', `${problem.detail} (${problem.code})`);
    this.problem = problem;
  }
}

/** Asks the coordinators in turn, until one answers. */
export class ControlClient {
  readonly #urls: readonly string[];
  readonly #token: string | null;
  readonly #fetch: typeof fetch;
  readonly #context: ProgramContext;

  /** @throws CONFIG_INVALID */
  constructor(context: ProgramContext, options: ClientOptions) {
    const { urls, token, tls } = clusterOf(options, context.environment);
    this.#urls = urls;
    this.#token = token;
    this.#fetch = fetchWith(tls);
    this.#context = context;
  }

  get urls(): readonly string[] {
    return this.#urls;
  }

  /** @throws CommandRefused, COORDINATOR_UNAVAILABLE */
  async read<T>(schema: z.ZodType<T>, path: string, urls = this.#urls): Promise<T> {
    return schema.parse(await this.#ask({ method: 'GET', path }, urls));
  }

  /** What the command would come to. Nothing is changed. @throws as {@link read} */
  async look(sent: Sent, reason: string | undefined): Promise<CommandResult> {
    const body = { ...sent.body, reason: reason ?? 'the reason you give', dryRun: true };
    return CommandResultSchema.parse(await this.#ask({ ...sent, body }, this.#urls));
  }

  /**
   * Under a key of its own, so that it is done once, although it may be sent several times.
   * @throws as {@link read}
   */
  async carryOut(sent: Sent, reason: string): Promise<CommandResult> {
    const headers = { ...sent.headers, 'idempotency-key': this.#context.random.hex(32) };
    return CommandResultSchema.parse(await this.#ask({ ...sent, headers, body: { ...sent.body, reason } }, this.#urls));
  }

  async #ask(sent: Sent, urls: readonly string[]): Promise<unknown> {
    let last: unknown;
    for (const url of urls) {
      try {
        return await this.#askOne(url, sent);
      } catch (error) {
        if (!(error instanceof OperationError) || error.code !== 'COORDINATOR_UNAVAILABLE') throw error;
        last = error;
      }
    }
    throw last;
  }

  async #askOne(url: string, { method, path, body, headers }: Sent): Promise<unknown> {
    const limit = new AbortController();
    const timer = this.#context.clock.setTimer(ASK_TIMEOUT_MS, () => limit.abort());
    let reply: Response;
    let json: unknown;
    try {
      reply = await this.#fetch(new URL(path, url), {
        ...{ method, signal: limit.signal, redirect: 'error' },
        headers: {
          accept: 'application/json',
          ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      json = await reply.json();
    } catch (cause) {
      const why = whyNoAnswer(cause, new URL(url), ASK_TIMEOUT_MS);
      throw new OperationError('COORDINATOR_UNAVAILABLE', `no coordinator answers at ${url}: ${why}`, { cause });
    } finally {
      timer.cancel();
    }
    if (reply.ok) return json;
    const said = ProblemDetailsSchema.safeParse(json);
    if (!said.success) throw new OperationError('NOT_A_COORDINATOR', `${url} answered ${reply.status}`);
    if (said.data.code === 'UNAUTHENTICATED') throw new OperationError('OPERATOR_UNKNOWN', said.data.detail);
    if (reply.status >= 500) throw new OperationError('COORDINATOR_UNAVAILABLE', `${url}: ${said.data.detail}`);
    throw new CommandRefused(said.data);
  }
}
