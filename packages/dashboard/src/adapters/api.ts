import type { EnrolmentsView, ExplainView, HistoryRecord, ReadinessView } from '@understudy/shared/browser';
import { newKey, timeLimit } from './clock.ts';

/** The person or program that is logged in. */
export interface Session {
  /** Null: nobody in particular, where the coordinators let everybody read. */
  readonly name: string | null;
  readonly mayOperate: boolean;
  /** The groups it may command. Null: all, and what is about no group. */
  readonly groups: readonly string[] | null;
  /** Shown with every command, so that another site cannot send one with our cookie. */
  readonly csrf: string | null;
}

/** An answer that is a refusal, in the server's words. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string | null;

  constructor(status: number, code: string, text: string, remedy: string | null) {
    super(text);
    this.status = status;
    this.code = code;
    this.remedy = remedy;
  }
}

/** There was no answer: nobody knows whether the request arrived. */
export class Unanswered extends Error {}

const READ_LIMIT_MS = 4_000;
/** A follower passes a command on to the leader, which waits for etcd. */
const COMMAND_LIMIT_MS = 10_000;

interface ProblemDetails {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly remedy?: string | null;
}

async function ask(path: string, request: RequestInit, limitMs: number): Promise<unknown> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      ...request,
      credentials: 'same-origin',
      redirect: 'error',
      signal: timeLimit(limitMs),
    });
    text = await response.text();
  } catch {
    throw new Unanswered(`${location.host} does not answer`);
  }
  const body = parsed(text);
  if (response.ok) return body;
  const { title, detail, code, remedy } = (body ?? {}) as ProblemDetails;
  throw new Refused(response.status, code ?? 'REFUSED', detail ?? title ?? `HTTP ${response.status}`, remedy ?? null);
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

const read = (path: string): Promise<unknown> => ask(path, { headers: { accept: 'application/json' } }, READ_LIMIT_MS);

/** Null: nobody is logged in who may read. */
export async function currentSession(): Promise<Session | null> {
  try {
    return sessionOf(await read('/v1/session'));
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return null;
    throw error;
  }
}

interface SessionBody {
  readonly name: string | null;
  readonly role: string;
  readonly groups: readonly string[] | null;
  readonly csrf: string | null;
}

/** Null: it may not read, so there is nothing to show it. */
function sessionOf(body: unknown): Session | null {
  const { name, role, groups, csrf } = body as SessionBody;
  return role === 'read' || role === 'operate' ? { name, mayOperate: role === 'operate', groups, csrf } : null;
}

/** Shows the token once, for a cookie. */
export async function logIn(token: string): Promise<Session> {
  const headers = { 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify({ token }) };
  const session = sessionOf(await ask('/v1/session', request, READ_LIMIT_MS));
  if (session === null) throw new Refused(403, 'FORBIDDEN', 'This token may read metrics only.', null);
  return session;
}

export async function logOut({ csrf }: Session): Promise<void> {
  await ask('/v1/session', { method: 'DELETE', headers: { 'understudy-csrf': csrf ?? '' } }, READ_LIMIT_MS);
}

export const explain = async (member: string): Promise<ExplainView> =>
  (await read(`/v1/members/${member}/explain`)) as ExplainView;

export const readiness = async (): Promise<ReadinessView> => (await read('/v1/readiness')) as ReadinessView;

export const enrolments = async (): Promise<EnrolmentsView> => (await read('/v1/enrolments')) as EnrolmentsView;

/** Newest first. */
export const history = async (limit: number): Promise<readonly HistoryRecord[]> =>
  ((await read(`/v1/history?limit=${limit}`)) as { readonly history: readonly HistoryRecord[] }).history;

/** What is there now, for a form to show. */
export const lookAt = read;

/** What an operator asks for. */
export interface Command {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A new key for each command a person means. Sending one again with its key does nothing twice. */
export const newCommandKey = newKey;

export async function send({ path, body }: Command, key: string, { csrf }: Session): Promise<unknown> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key, 'understudy-csrf': csrf ?? '' };
  return await ask(path, { method: 'POST', headers, body: JSON.stringify(body) }, COMMAND_LIMIT_MS);
}
