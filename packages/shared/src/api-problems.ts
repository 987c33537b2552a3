import * as z from 'zod';

interface ApiProblem {
  /** HTTP status of every answer with this code. */
  readonly status: number;
  /** What went wrong, without the names of a case. */
  readonly title: string;
  /** What the caller does about it. */
  readonly remedy: string;
  /** The same request, sent again a little later, may well succeed. */
  readonly retryable: boolean;
}

/**
 * Every refusal of the HTTP API: code, status, meaning, what to do. Match on `code`, never on
 * words. `docs/errors.md` is the page for people, and is held against this table.
 */
export const API_PROBLEMS = {
  BAD_REQUEST: {
    status: 400,
    title: 'The request does not fit what this path takes',
    remedy: 'correct the field that the detail names; GET GET /v1/openapi.json describes every request',
    retryable: false,
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'The caller is not known',
    remedy: 'show a token of this cluster (Authorization: Bearer …), or a client certificate',
    retryable: false,
  },
  PEER_REFUSED: {
    status: 401,
    title: 'What another coordinator passed on is not taken',
    remedy: 'compare the clocks and the master secrets (understudy keys status) of the coordinators',
    retryable: true,
  },
  OPERATOR_TOKEN_MISSING: {
    status: 403,
    title: 'This coordinator cannot tell who is an operator',
    remedy: 'configure tokens on the coordinators (docs/api.md), then send the command again',
    retryable: false,
  },
  ENROLMENT_REFUSED: {
    status: 403,
    title: 'The agent is given no key for the identity it shows',
    remedy: 'the reason is in the detail, and docs/enrolment.md says what to do about each',
    retryable: true,
  },
  FORBIDDEN: {
    status: 403,
    title: 'The role of the caller does not allow this',
    remedy: 'use a token with the role that the detail names',
    retryable: false,
  },
  OTHER_GROUP: {
    status: 403,
    title: 'The caller may command other groups only',
    remedy: 'use a token for this group, or for all',
    retryable: false,
  },
  CSRF_MISSING: {
    status: 403,
    title: 'A change by session cookie lacks the header of its session',
    remedy: 'send the header understudy-csrf with the value of GET /v1/session',
    retryable: false,
  },
  CROSS_ORIGIN: {
    status: 403,
    title: 'A page of another site sent the request',
    remedy: 'use the dashboard of a coordinator; a proxy in front of it must keep the header Host',
    retryable: false,
  },
  ENROLMENT_OFF: {
    status: 404,
    title: 'Agents get no key by identity here',
    remedy: 'configure enrolment and http.tls on every coordinator (docs/enrolment.md), or use another source of keys',
    retryable: false,
  },
  PATH_UNKNOWN: {
    status: 404,
    title: 'There is no such path',
    remedy: 'look for the path in GET /v1/openapi.json; an older coordinator has fewer',
    retryable: false,
  },
  MEMBER_UNKNOWN: {
    status: 404,
    title: 'No such member is known here',
    remedy: 'GET /v1/members lists them; a member is group/name, from the tags of its instance',
    retryable: false,
  },
  COORDINATOR_UNKNOWN: {
    status: 404,
    title: 'No such coordinator is present',
    remedy: 'GET /v1/drains lists those that are',
    retryable: false,
  },
  RECOVERY_UNKNOWN: {
    status: 404,
    title: 'No such recovery has ended here',
    remedy: 'GET /v1/history lists them',
    retryable: false,
  },
  NOTHING_THERE: {
    status: 404,
    title: 'There is nothing of the kind to change or to end',
    remedy: 'look again: it may have ended meanwhile',
    retryable: false,
  },
  INVENTORY_OFF: {
    status: 404,
    title: 'No inventory history is kept',
    remedy: 'configure one on the coordinators (docs/inventory.md); everything else works without',
    retryable: false,
  },
  INVENTORY_UNKNOWN: {
    status: 404,
    title: 'The inventory history never saw this resource, or saw it later only',
    remedy: 'GET /v1/inventory says since when there is a history; look at kind, id and time',
    retryable: false,
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'The path does not take this method',
    remedy: 'use a method that the header Allow names',
    retryable: false,
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request did not arrive in time',
    remedy: 'send header and body without pauses; look at the network in between',
    retryable: true,
  },
  NO_OPEN_RECOVERY: {
    status: 409,
    title: 'No recovery of the member is open',
    remedy: 'look at the member (understudy explain MEMBER); docs/ways-out.md has what can be asked for when',
    retryable: false,
  },
  OTHER_RECOVERY: {
    status: 409,
    title: 'Another recovery of the member is open than the one that was named',
    remedy: 'look at the recovery that is open, then name that one, or none',
    retryable: false,
  },
  NOT_STOPPED_BY_US: {
    status: 409,
    title: 'Nothing has to be begun by hand: the member is watched, and recovered when it fails',
    remedy: 'none; docs/ways-out.md says when a recovery is begun by hand',
    retryable: false,
  },
  GATES_HOLD: {
    status: 409,
    title: 'A gate holds the member',
    remedy: 'read which ones; those that may be overridden are named with --override',
    retryable: false,
  },
  NEVER_OVERRIDDEN: {
    status: 409,
    title: 'This gate is never overridden',
    remedy: 'end its cause, as the detail says',
    retryable: false,
  },
  UNDO_REFUSED: {
    status: 409,
    title: 'The last recovery cannot be put back',
    remedy: 'the detail says why, and what can be done (docs/undo.md)',
    retryable: false,
  },
  PAUSED_BY_ANOTHER: {
    status: 409,
    title: 'Somebody else has paused this',
    remedy: 'ask them, or name the revision of the pause you were shown',
    retryable: false,
  },
  NOT_RELEASABLE: {
    status: 409,
    title: 'This hold follows from what is so now',
    remedy: 'end its cause: docs/ways-out.md has what can be done about each',
    retryable: false,
  },
  TOO_FEW_OBSERVERS: {
    status: 409,
    title: 'Too few coordinators would be left',
    remedy: 'bring another one up first',
    retryable: false,
  },
  CHANGED: {
    status: 409,
    title: 'What the command is about has changed meanwhile',
    remedy: 'look again, then decide again',
    retryable: false,
  },
  INVENTORY_GONE: {
    status: 410,
    title: 'The resource was there before, and not at the time that was asked for',
    remedy: 'ask for its versions: GET /v1/inventory/KIND?id=ID&since=0',
    retryable: false,
  },
  REVISION_STALE: {
    status: 412,
    title: 'What is there is not what you were shown',
    remedy: 'look at what is there now, then decide again',
    retryable: false,
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is larger than this path takes',
    remedy: 'send less; docs/api.md has the limits',
    retryable: false,
  },
  MEDIA_TYPE_UNKNOWN: {
    status: 415,
    title: 'The body is of a kind that is not taken',
    remedy: 'send JSON, with content-type: application/json',
    retryable: false,
  },
  POLICY_REFUSED: {
    status: 422,
    title: 'A policy breaks a rule',
    remedy: 'correct the field that the detail names; nothing was changed',
    retryable: false,
  },
  INVENTORY_QUERY_SLOW: {
    status: 422,
    title: 'A condition of the question takes too long',
    remedy: 'ask with a simpler regular expression, of fewer resources or of less time',
    retryable: false,
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'The idempotency key stands for another request',
    remedy: 'use a fresh key for each request',
    retryable: false,
  },
  PRECONDITION_REQUIRED: {
    status: 428,
    title: 'A change of this needs If-Match',
    remedy: 'read it, then send the change with If-Match and the ETag that was read',
    retryable: false,
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests',
    remedy: 'wait as long as the header retry-after says; docs/api.md has the limits',
    retryable: true,
  },
  HEADER_TOO_LARGE: {
    status: 431,
    title: 'The header of the request is larger than is taken',
    remedy: 'send fewer or shorter header fields; docs/api.md has the limits',
    retryable: false,
  },
  INTERNAL: {
    status: 500,
    title: 'A bug of the coordinator',
    remedy: 'look for the request id (instance) in the log of the coordinator, and report it',
    retryable: true,
  },
  STARTING: {
    status: 503,
    title: 'The coordinator is still starting',
    remedy: 'ask again in a few seconds, or ask another coordinator',
    retryable: true,
  },
  NO_LEADER: {
    status: 503,
    title: 'Nobody leads, and only a leader can do this',
    remedy: 'ask again in a few seconds; understudy status says what is known of the cluster',
    retryable: true,
  },
  NOT_LEADER: {
    status: 503,
    title: 'The coordinator that was asked as leader leads no longer',
    remedy: 'ask again in a few seconds',
    retryable: true,
  },
  LEADER_SILENT: {
    status: 503,
    title: 'The leader gave no answer that can be believed',
    remedy:
      'ask again: with the same Idempotency-Key that is harmless; look at the network and TLS between coordinators',
    retryable: true,
  },
  STREAMS_FULL: {
    status: 503,
    title: 'As many streams are open as may be',
    remedy: 'ask another coordinator, or close streams that nobody reads',
    retryable: true,
  },
  UNAVAILABLE: {
    status: 503,
    title: 'Nobody can take the command now',
    remedy: 'ask again in a few seconds: that is harmless; understudy status says who leads',
    retryable: true,
  },
  INVENTORY_UNAVAILABLE: {
    status: 503,
    title: 'The database of the inventory history does not answer',
    remedy: 'look at the file or at PostgreSQL, as the detail says; everything else works without',
    retryable: true,
  },
  OUTCOME_UNKNOWN: {
    status: 503,
    title: 'Nobody can tell yet whether it was done',
    remedy: 'ask again with the same idempotency key: it is done once',
    retryable: true,
  },
} as const satisfies Record<string, ApiProblem>;

export type ApiProblemCode = keyof typeof API_PROBLEMS;

/** Where the catalogue of codes is answered from. A problem's `type` points into it. */
export const PROBLEM_CATALOGUE_PATH = '/v1/errors';

/** Media type of every refusal (RFC 9457). */
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The body of every refusal: problem details of RFC 9457, and three members of ours. */
export const ProblemDetailsSchema = z
  .object({
    /** The entry of the catalogue. */
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    /** What was wrong in this case, in one or two sentences. */
    detail: z.string(),
    /** Id of the request, as it stands in the log and in the header `request-id`. */
    instance: z.string(),
    /** One of {@link API_PROBLEMS}. */
    code: z.string(),
    retryable: z.boolean(),
    /** What the caller can do about it. */
    remedy: z.string(),
    /** What is there now, as far as the caller needs it to ask better. Absent: nothing. */
    facts: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ description: 'Why a request was refused (RFC 9457)' });
export type ProblemDetails = z.infer<typeof ProblemDetailsSchema>;

export function problemDetails(code: ApiProblemCode, detail: string, requestId: string): ProblemDetails {
  const { status, title, remedy, retryable } = API_PROBLEMS[code];
  return {
    type: `${PROBLEM_CATALOGUE_PATH}#${code}`,
    title,
    status,
    detail,
    instance: requestId,
    code,
    retryable,
    remedy,
  };
}
