import { type Clock, errorText } from '@understudy/shared';
import { Agent, request } from 'node:http';
import type { MetadataAnswer, MetadataSource } from '../checks/metadata.ts';

/** EC2 User Guide: a token lives 1-21 600 s. */
const TOKEN_TTL_SECONDS = 21_600;
/** Asked for anew this long before it ends. */
const TOKEN_MARGIN_MS = 600_000;
const BODY_BYTES_MAX = 65_536;

export const IMDS_DEFAULT_ENDPOINT = 'http://169.254.169.254';

interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * IMDSv2 over `node:http` (`fetch` does not exist under `--jitless`). The token is cached; a 401 (the token is bound to the instance and may be
 * gone after a resume) drops it and asks once more. Every request ends within `timeoutMs`.
 */
export class ImdsClient implements MetadataSource {
  readonly #endpoint: string;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 30_000 });
  #token: { readonly text: string; readonly untilMs: number } | null = null;

  constructor(options: { readonly endpoint: string; readonly timeoutMs: number; readonly clock: Clock }) {
    this.#endpoint = options.endpoint.replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs;
    this.#clock = options.clock;
  }

  async get(path: string, signal?: AbortSignal): Promise<MetadataAnswer> {
    try {
      const first = await this.#getWithToken(path, signal);
      if (first.status !== 401) return answerOf(first);
      this.#token = null;
      return answerOf(await this.#getWithToken(path, signal));
    } catch (error) {
      return { kind: 'unreachable', detail: errorText(error) };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #getWithToken(path: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#token || nowMs >= this.#token.untilMs) {
      const headers = { 'X-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) };
      const answer = await this.#send('PUT', '/latest/api/token', headers, signal);
      if (answer.status !== 200) return answer.status === 401 ? { status: 403, body: 'no token' } : answer;
      this.#token = { text: answer.body, untilMs: nowMs + TOKEN_TTL_SECONDS * 1000 - TOKEN_MARGIN_MS };
    }
    return this.#send('GET', `/latest/meta-data/${path}`, { 'X-aws-ec2-metadata-token': this.#token.text }, signal);
  }

  #send(
    method: string,
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const timeout = this.#clock.setTimer(this.#timeoutMs, () =>
        sent.destroy(new Error(`no answer in ${this.#timeoutMs} ms`)),
      );
      const onAbort = () => sent.destroy(new Error('aborted'));
      const sent = request(`${this.#endpoint}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
          if (body.length > BODY_BYTES_MAX) sent.destroy(new Error('the answer is too long'));
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.on('close', () => {
        timeout.cancel();
        signal?.removeEventListener('abort', onAbort);
        reject(new Error('the connection closed'));
      });
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      sent.end();
    });
  }
}

function answerOf({ status, body }: HttpAnswer): MetadataAnswer {
  if (status === 200) return { kind: 'found', text: body };
  if (status === 404) return { kind: 'absent' };
  if (status === 429 || status === 503) return { kind: 'throttled' };
  return { kind: 'unreachable', detail: `HTTP ${status}` };
}
