import { type ErrorCode, errorText, isOperationError, OperationError } from '@understudy/shared';

/**
 * gRPC status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html) that etcd answers
 * before anything is applied.
 */
const REFUSALS: ReadonlySet<number> = new Set([
  3, // INVALID_ARGUMENT
  5, // NOT_FOUND
  6, // ALREADY_EXISTS
  7, // PERMISSION_DENIED
  9, // FAILED_PRECONDITION
  11, // OUT_OF_RANGE
  12, // UNIMPLEMENTED
  16, // UNAUTHENTICATED
]);

/** Refusals whose code etcd3 drops when it makes a typed error of the message. */
const REFUSAL_TEXTS = [
  'etcdserver: invalid auth token',
  'etcdserver: authentication failed',
  'etcdserver: requested lease not found',
  'etcdserver: user name not found',
  'etcdserver: role name not found',
  'etcdserver: duplicate key',
  'etcdserver: mvcc: required revision has been compacted',
  'etcdserver: too many operations',
];

/** Refusals of a certain cause, each with its own remedy. */
const NAMED_REFUSALS: readonly (readonly [text: string, code: ErrorCode])[] = [
  ['etcdserver: permission denied', 'STORE_DENIED'],
  ['etcdserver: mvcc: database space exceeded', 'STORE_NO_SPACE'],
  ['etcdserver: corrupt cluster', 'STORE_CORRUPT'],
];

/**
 * Texts which say that the request certainly never left, or that etcd did not take it. After any
 * other error it may have been applied.
 */
const NEVER_SENT_TEXTS = [
  'No connection established',
  'Channel closed before call started',
  'Name resolution failed',
  'but the client was already closed',
  'etcdserver: too many requests',
  'etcdserver: revision of auth store is old',
];

const RESOURCE_EXHAUSTED = 8;

/** grpc-js writes `14 UNAVAILABLE: details`; etcd3 keeps the text and loses the code. */
function statusOf(text: string): { readonly code: number; readonly name: string } | null {
  const match = /(?:^|: )(\d{1,2}) ([A-Z_]+): /.exec(text);
  return match ? { code: Number(match[1]), name: match[2] ?? '' } : null;
}

export const isLeaseNotFound = (error: unknown): boolean =>
  errorText(error).includes('requested lease not found') || /Lease .* is expired or revoked/.test(errorText(error));

export const isCompacted = (error: unknown): boolean =>
  errorText(error).includes('required revision has been compacted');

/**
 * True when our token belongs to an older state of etcd's users and roles, so that a new one is
 * needed.
 */
export const isStaleToken = (error: unknown): boolean =>
  errorText(error).includes('revision of auth store is old') || errorText(error).includes('invalid auth token');

function codeOf(text: string, status: number | null, mayHaveApplied: boolean): ErrorCode {
  if (NEVER_SENT_TEXTS.some((part) => text.includes(part))) return 'STORE_UNAVAILABLE';
  const named = NAMED_REFUSALS.find(([part]) => text.includes(part));
  if (named) return named[1];
  if (REFUSAL_TEXTS.some((part) => text.includes(part))) return 'STORE_REJECTED';
  if (status !== null && REFUSALS.has(status)) return 'STORE_REJECTED';
  if (mayHaveApplied) return 'STORE_OUTCOME_UNKNOWN';
  // A reply too large to receive stays too large.
  return status === RESOURCE_EXHAUSTED ? 'STORE_REJECTED' : 'STORE_UNAVAILABLE';
}

/**
 * The error in our words. `mayHaveApplied`: the call changes the store, so a failure without a
 * clear answer leaves its outcome unknown.
 */
export function storeError(error: unknown, operation: string, mayHaveApplied: boolean): OperationError {
  if (isOperationError(error)) return error;
  const text = errorText(error);
  if (isLeaseNotFound(error))
    return new OperationError('STORE_REJECTED', `${operation}: ${text}`, {
      cause: error,
      upstreamCode: 'LEASE_NOT_FOUND',
    });
  const status = statusOf(text);
  return new OperationError(codeOf(text, status?.code ?? null, mayHaveApplied), `${operation}: ${text}`, {
    cause: error,
    ...(status ? { upstreamCode: status.name } : {}),
  });
}

const OF_THE_REQUEST_OR_CLUSTER: readonly ErrorCode[] = [
  'STORE_REJECTED',
  'STORE_DENIED',
  'STORE_NO_SPACE',
  'STORE_CORRUPT',
];

/**
 * True when the endpoint is to blame, not the request or the whole cluster. The next call then
 * tries another one.
 */
export const blamesEndpoint = (error: OperationError): boolean => !OF_THE_REQUEST_OR_CLUSTER.includes(error.code);
