import {
  type ExplainView,
  ExplainViewSchema,
  HistoryViewSchema,
  HoldsViewSchema,
  type KeysView,
  KeysViewSchema,
  LeftoversViewSchema,
  type LeftoverView,
  type MembersView,
  MembersViewSchema,
  type MemberView,
  type NoticesView,
  NoticesViewSchema,
  type RecoveriesView,
  RecoveriesViewSchema,
  type StatusView,
  StatusViewSchema,
} from '../api.ts';
import { type EnrolmentsView, EnrolmentsViewSchema } from '../api/enrolments.ts';
import { type ReadinessView, ReadinessViewSchema } from '../api/readiness.ts';
import { type EventsView, EventsViewSchema } from '../api-events.ts';
import { ProblemDetailsSchema } from '../api-problems.ts';
import { errorText, hasCode, OperationError } from '../errors.ts';
import type { MemberId } from '../member-id.ts';
import type { HoldRecord } from '../records/cluster.ts';
import type { HistoryRecord } from '../records/recovery.ts';
import { parseKeeping } from '../records/keep-unknown.ts';
import type * as z from 'zod';
import { whyNoAnswer } from './why-no-answer.ts';

/** Reads one coordinator's HTTP API. Any coordinator answers; `status` names the leader. */
export interface CoordinatorClient {
  status(): Promise<StatusView>;
  members(): Promise<readonly MemberView[]>;
  /** The members, with the instances that are no members. */
  membersView(): Promise<MembersView>;
  recoveries(): Promise<RecoveriesView>;
  leftovers(): Promise<readonly LeftoverView[]>;
  /** What webhooks are still to be told, and what they did not take. */
  notices(): Promise<NoticesView>;
  enrolments(): Promise<EnrolmentsView>;
  /** What would become of each member if it failed now. */
  readiness(): Promise<ReadinessView>;
  holds(): Promise<readonly HoldRecord[]>;
  /** Ended recoveries, the newest first; `member`: only its. */
  history(member: MemberId | null, limit: number): Promise<readonly HistoryRecord[]>;
  /** A page of what changed, the oldest first. `after`: only what followed. */
  events(wanted: EventsWanted): Promise<EventsView>;
  /** Keys of the coordinator that answers only. */
  keys(): Promise<KeysView>;
  /** @throws MEMBER_UNKNOWN when the coordinator that answers knows no such member. */
  explain(member: MemberId): Promise<ExplainView>;
}

/** Which events. */
export interface EventsWanted {
  /** The id of an event, or a cursor. Null: all that is kept. */
  readonly after: string | null;
  readonly member: MemberId | null;
  readonly group: string | null;
}

/** The query of `GET /v1/events`. */
export const eventsQuery = ({ after, member, group }: EventsWanted): URLSearchParams =>
  new URLSearchParams({
    ...(after === null ? {} : { after }),
    ...(member === null ? {} : { member }),
    ...(group === null ? {} : { group }),
  });

/** HTTP reads are answered from memory, so a longer wait means that the coordinator is not well. */
const READ_TIMEOUT_MS = 3_000;

export interface ClientOptions {
  /** The operator's token. A caller without it sees no console output. */
  readonly token?: string | null;
  /**
   * Called once per change: which coordinator answered after others did not, and why they did not.
   */
  readonly onFallback?: (text: string) => void;
  /** Fetches with certificates of its own. Default: the built-in one. */
  readonly fetch?: typeof fetch;
}

async function read<T>(schema: z.ZodType<T>, url: string, { token, fetch: ask = fetch }: ClientOptions): Promise<T> {
  let response: Response;
  let body: string;
  try {
    response = await ask(url, {
      signal: AbortSignal.timeout(READ_TIMEOUT_MS),
      headers: { accept: 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      redirect: 'manual',
    });
    body = await response.text();
  } catch (cause) {
    const why = whyNoAnswer(cause, new URL(url), READ_TIMEOUT_MS);
    throw new OperationError('COORDINATOR_UNAVAILABLE', `no coordinator answers at ${url}: ${why}`, { cause });
  }
  const json = jsonOf(body);
  if (!response.ok) throw refused(response, json, url);
  const parsed = parseKeeping(schema, json);
  if (parsed.success) return parsed.data;
  if (json === undefined) throw foreign(response, url);
  const issue = parsed.error.issues[0];
  const fault = `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
  throw new OperationError(
    'RECORD_UNREADABLE',
    `${url} answered something this version does not understand (${fault}): another version, or no coordinator`,
    { cause: parsed.error },
  );
}

const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};

function foreign(response: Response, url: string): OperationError {
  const kind = response.headers.get('content-type') ?? 'no content type';
  const server = response.headers.get('server');
  const said = `HTTP ${response.status}, ${kind}${server === null ? '' : `, server ${server}`}`;
  return new OperationError('NOT_A_COORDINATOR', `${url} is answered by something that is no coordinator (${said})`);
}

function refused(response: Response, json: unknown, url: string): OperationError {
  // Every refusal of ours has this form. Anything else comes from another server.
  const said = ProblemDetailsSchema.safeParse(json);
  if (!said.success) return foreign(response, url);
  const { code, detail } = said.data;
  if (code === 'UNAUTHENTICATED') return new OperationError('OPERATOR_UNKNOWN', `${url}: ${detail}`);
  if (code === 'PATH_UNKNOWN')
    return new OperationError('COORDINATOR_UNAVAILABLE', `${url}: another version of the coordinator: ${detail}`);
  if (code === 'MEMBER_UNKNOWN') return new OperationError('MEMBER_UNKNOWN', detail);
  return new OperationError('COORDINATOR_UNAVAILABLE', `${url} answered ${response.status}: ${code}: ${detail}`);
}

/**
 * The most telling of several coordinators' failures: an answer, whatever it is, before silence.
 */
function worstOf(errors: readonly unknown[], urls: readonly string[]): unknown {
  const answered = errors.find((error) => hasCode(error, 'OPERATOR_UNKNOWN') || hasCode(error, 'MEMBER_UNKNOWN'));
  const [first] = errors;
  if (answered !== undefined || errors.length < 2) return answered ?? first;
  const texts = errors.map((error) => errorText(error).replace(/^[A-Z_]+: /, ''));
  const text = `none of ${urls.length} addresses is answered by a coordinator: ${texts.join('; ')}`;
  return new OperationError('COORDINATOR_UNAVAILABLE', text, { cause: first });
}

/**
 * A client that asks the given coordinators in turn until one answers.
 * @throws what the only one said, or COORDINATOR_UNAVAILABLE with what each of them said;
 * MEMBER_UNKNOWN when those that answer know no such member.
 */
export function coordinatorClient(urls: readonly string[], options: ClientOptions = {}): CoordinatorClient {
  let told = '';
  const tell = (url: string, errors: readonly unknown[]): void => {
    const text = errors.length === 0 ? '' : `${errors.map(errorText).join('; ')}; ${url} answers`;
    if (text !== '' && text !== told) options.onFallback?.(text);
    told = text;
  };
  const ask = async <T>(schema: z.ZodType<T>, path: string): Promise<T> => {
    const errors: unknown[] = [];
    for (const url of urls) {
      try {
        const answer = await read(schema, new URL(path, url).href, options);
        tell(url, errors);
        return answer;
      } catch (error) {
        errors.push(error);
      }
    }
    throw worstOf(errors, urls);
  };
  return {
    status: () => ask(StatusViewSchema, '/v1/status'),
    members: async () => (await ask(MembersViewSchema, '/v1/members')).members,
    membersView: () => ask(MembersViewSchema, '/v1/members'),
    recoveries: () => ask(RecoveriesViewSchema, '/v1/recoveries'),
    leftovers: async () => (await ask(LeftoversViewSchema, '/v1/leftovers')).leftovers,
    notices: () => ask(NoticesViewSchema, '/v1/notices'),
    enrolments: () => ask(EnrolmentsViewSchema, '/v1/enrolments'),
    readiness: () => ask(ReadinessViewSchema, '/v1/readiness'),
    holds: async () => (await ask(HoldsViewSchema, '/v1/holds')).holds,
    history: async (member, limit) => {
      const query = new URLSearchParams({ limit: String(limit), ...(member === null ? {} : { member }) });
      return (await ask(HistoryViewSchema, `/v1/history?${query.toString()}`)).history;
    },
    events: (wanted) => ask(EventsViewSchema, `/v1/events?${eventsQuery(wanted).toString()}`),
    keys: () => ask(KeysViewSchema, '/v1/keys'),
    explain: (member) => ask(ExplainViewSchema, `/v1/members/${member}/explain`),
  };
}
