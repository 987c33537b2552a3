import { type Clock, errorText } from '@understudy/shared';
import type { MetadataAnswer, MetadataSource } from '../checks/metadata.ts';
import type { HttpAnswer } from '../core/http-answer.ts';
import { plainHttp } from './plain-http.ts';

/** EC2 User Guide: a token lives 1-21 600 s. */
const TOKEN_TTL_SECONDS = 21_600;
/** A new token is asked for this long before the old one ends. */
const TOKEN_MARGIN_MS = 600_000;

export const IMDS_DEFAULT_ENDPOINT = 'http://169.254.169.254';

/**
 * Reads by IMDSv2. The token is cached. A 401 (the token is bound to the instance and may be gone
 * after a resume) drops it and asks once more. Every request ends within `timeoutMs`.
 */
export class ImdsClient implements MetadataSource {
  readonly #endpoint: string;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  #token: { readonly text: string; readonly untilMs: number } | null = null;

  constructor(options: { readonly endpoint: string; readonly timeoutMs: number; readonly clock: Clock }) {
    this.#endpoint = options.endpoint.replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs;
    this.#clock = options.clock;
  }

  get(path: string, signal?: AbortSignal): Promise<MetadataAnswer> {
    return this.#get(`meta-data/${path}`, signal);
  }

  /** `path` below `/latest/dynamic/`. Never rejects. */
  dynamic(path: string, signal?: AbortSignal): Promise<MetadataAnswer> {
    return this.#get(`dynamic/${path}`, signal);
  }

  async #get(path: string, signal: AbortSignal | undefined): Promise<MetadataAnswer> {
    try {
      const first = await this.#getWithToken(path, signal);
      if (first.status !== 401) return answerOf(path, first);
      this.#token = null;
      return answerOf(path, await this.#getWithToken(path, signal));
    } catch (error) {
      return { kind: 'unreachable', detail: errorText(error) };
    }
  }

  async #getWithToken(path: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#token || nowMs >= this.#token.untilMs) {
      const headers = { 'X-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) };
      const answer = await this.#send('PUT', '/latest/api/token', headers, signal);
      if (answer.status !== 200) return answer.status === 401 ? { status: 403, body: 'no token' } : answer;
      if (!TOKEN.test(answer.body)) return { status: 502, body: 'no token' };
      this.#token = { text: answer.body, untilMs: nowMs + TOKEN_TTL_SECONDS * 1000 - TOKEN_MARGIN_MS };
    }
    return this.#send('GET', `/latest/${path}`, { 'X-aws-ec2-metadata-token': this.#token.text }, signal);
  }

  async #send(
    method: 'GET' | 'PUT',
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const limit = new AbortController();
    const onAbort = () => limit.abort(new Error('aborted'));
    const timeout = this.#clock.setTimer(this.#timeoutMs, () =>
      limit.abort(new Error(`no answer in ${this.#timeoutMs} ms`)),
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await plainHttp({ method, url: `${this.#endpoint}${path}`, headers, signal: limit.signal });
    } finally {
      timeout.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

/** Base64 as IMDS gives it. It goes into a header as it is. */
const TOKEN = /^[A-Za-z0-9+/=_-]{1,1024}$/;
const INSTANCE_ID = /^i-[0-9A-Za-z-]{1,40}$/;

/**
 * False for a page of a proxy or a sign-in portal with status 200. Taken for another identity, it
 * would end a healthy agent.
 */
const isOwn = (path: string, body: string): boolean =>
  path === 'meta-data/instance-id' ? INSTANCE_ID.test(body.trim()) : !body.trimStart().startsWith('<');

function answerOf(path: string, { status, body }: HttpAnswer): MetadataAnswer {
  if (status === 200 && isOwn(path, body)) return { kind: 'found', text: body };
  if (status === 200) return { kind: 'unreachable', detail: `something else than IMDS answers for ${path}` };
  if (status === 404) return { kind: 'absent' };
  if (status === 429 || status === 503) return { kind: 'throttled' };
  return { kind: 'unreachable', detail: `HTTP ${status}` };
}
