/**
 * Every error an operator can meet: code, meaning, what to do. Match on `code`, never on message or
 * class.
 *
 * `retry` says how to handle it:
 * - `retryable`: harmless to repeat, with bounded backoff and only while the lease holds;
 * - `terminal`: repeating cannot help;
 * - `observe`: the outcome is unknown; read the world, then decide; never plain retry.
 */
export type RetryClass = 'retryable' | 'terminal' | 'observe';

interface ErrorEntry {
  readonly retry: RetryClass;
  readonly meaning: string;
  readonly remedy: string;
}

export const ERROR_TABLE = {
  CONFIG_INVALID: {
    retry: 'terminal',
    meaning: 'the configuration was refused',
    remedy: 'correct the named field; nothing was started',
  },
  KEY_INVALID: {
    retry: 'terminal',
    meaning: 'a key file is missing, unreadable or of the wrong size',
    remedy: 'write 32 bytes as 64 hex characters into the named file (mode 0600)',
  },
  COMMAND_FAILED: {
    retry: 'retryable',
    meaning: 'a hook, systemctl or probe command of the agent failed',
    remedy: 'run the named command by hand as the user of the agent; it is tried again with backoff',
  },
  WORKLOAD_STUCK: {
    retry: 'retryable',
    meaning: 'a workload did not stop in time on an instance that may not serve, not even when killed',
    remedy:
      'stop it by hand or switch the machine off (docs/workloads.md); it is tried again with backoff, and a fenced machine switches itself off unless activation.onStuck says report',
  },
  RECORD_UNREADABLE: {
    retry: 'terminal',
    meaning: 'a record in etcd does not fit its schema',
    remedy:
      'look at the key with `understudy inspect`; correct or delete it, or, where a newer build wrote it, upgrade this one; the member is held meanwhile',
  },
  POLICY_REFUSED: {
    retry: 'terminal',
    meaning: 'the policy of a group in etcd breaks a rule between its fields and the configuration',
    remedy: 'correct groups/<group>; the last good policy stays in force, and without one the group is held',
  },
  STORE_UNAVAILABLE: {
    retry: 'retryable',
    meaning: 'etcd did not answer',
    remedy: 'check the etcd members; no recovery starts meanwhile, running ones park, workloads are untouched',
  },
  STORE_OUTCOME_UNKNOWN: {
    retry: 'observe',
    meaning: 'a write was sent to etcd and its reply was lost',
    remedy: 'none: it is read back before anything else happens',
  },
  STORE_REJECTED: {
    retry: 'terminal',
    meaning: 'etcd refused the request (authentication or a malformed call)',
    remedy: 'check user, password and certificates of the coordinator in etcd',
  },
  STORE_DENIED: {
    retry: 'terminal',
    meaning: 'the etcd role of the coordinator does not allow what it needs',
    remedy: 'grant the role readwrite on the whole root prefix (docs/etcd-keys.md, "The least role")',
  },
  STORE_NO_SPACE: {
    retry: 'retryable',
    meaning: 'etcd is out of space (alarm NOSPACE): it answers reads and refuses every write',
    remedy:
      'compact and defragment etcd (etcdctl compact --physical, etcdctl defrag), raise --quota-backend-bytes if need be, then etcdctl alarm disarm',
  },
  STORE_CORRUPT: {
    retry: 'terminal',
    meaning: 'etcd found its members different from each other (alarm CORRUPT) and refuses every write',
    remedy:
      'find the corrupt member (etcdctl endpoint hashkv --cluster), replace it or restore a snapshot, then etcdctl alarm disarm',
  },
  STORE_NOT_WRITABLE: {
    retry: 'retryable',
    meaning: 'etcd answers reads, and no write was confirmed for a while',
    remedy: 'look for slow disks and a lost quorum of the etcd members (etcdctl endpoint status --cluster)',
  },
  STORE_VERSION_UNKNOWN: {
    retry: 'terminal',
    meaning: 'etcd answers, and its version could not be read (needs >= 3.5.23 or >= 3.6.5)',
    remedy: 'let coordinators ask GET /version at the client URLs, or set etcd.allowUnsafeVersion with the reason',
  },
  STORE_TOO_OLD: {
    retry: 'terminal',
    meaning: 'this etcd has lease bugs that make leadership unsafe (needs >= 3.5.23 or >= 3.6.5)',
    remedy: 'upgrade etcd, or set etcd.allowUnsafeVersion with the reason',
  },
  COORDINATOR_UNAVAILABLE: {
    retry: 'retryable',
    meaning: 'no coordinator answered over HTTP',
    remedy: 'check the address (--url, UNDERSTUDY_URL; several may be given) and that a coordinator runs there',
  },
  NOT_A_COORDINATOR: {
    retry: 'terminal',
    meaning: 'something answers at this address, and it is no coordinator of Understudy',
    remedy: 'check host and port (--url, UNDERSTUDY_URL): a coordinator listens where its http.host and http.port say',
  },
  OPERATOR_UNKNOWN: {
    retry: 'terminal',
    meaning: 'the coordinator refused the operator token',
    remedy: 'show the token of http.operatorTokenFile (--token-file, UNDERSTUDY_TOKEN_FILE), or none',
  },
  MEMBER_UNKNOWN: {
    retry: 'terminal',
    meaning: 'the coordinator that answered knows no such member',
    remedy: '`understudy members` lists them; a member is group/name, from the tags of its instance',
  },
  REQUEST_REFUSED: {
    retry: 'terminal',
    meaning:
      'a coordinator took no command: it cannot be done as things are, or the operator token is missing or wrong',
    remedy: 'read why; docs/ways-out.md has what can be asked for when, and what the token is',
  },
  INVENTORY_QUERY_INVALID: {
    retry: 'terminal',
    meaning: 'a question to the inventory history cannot be read',
    remedy: 'correct what is named; docs/inventory.md has kinds, times and conditions',
  },
  INVENTORY_QUERY_SLOW: {
    retry: 'terminal',
    meaning: 'a condition of a question to the inventory history takes too long',
    remedy: 'ask with a simpler regular expression, of fewer resources or of less time',
  },
  INVENTORY_UNKNOWN: {
    retry: 'terminal',
    meaning: 'the inventory history never saw this resource, or saw it later only',
    remedy: '`understudy inventory status` says since when there is a history; look at kind, id and time',
  },
  INVENTORY_GONE: {
    retry: 'terminal',
    meaning: 'the resource was there before, and not at the time that was asked for',
    remedy: '`understudy inventory list KIND --id ID --versions` has its versions',
  },
  INVENTORY_SUPERSEDED: {
    retry: 'terminal',
    meaning: 'a later leader has written to the inventory history',
    remedy: 'none; if etcd was made anew, its terms begin anew: docs/inventory.md says how the history is told',
  },
  INVENTORY_SCHEMA_REFUSED: {
    retry: 'terminal',
    meaning: 'the database of the inventory history was migrated by a newer build, or by another one',
    remedy: 'upgrade this coordinator, or give it another database; everything else works without',
  },
  INVENTORY_STORE_UNAVAILABLE: {
    retry: 'retryable',
    meaning: 'the database of the inventory history did not do what was asked',
    remedy: 'look at the file or at PostgreSQL, as the error says; everything else works without',
  },
  CAS_CONFLICT: {
    retry: 'retryable',
    meaning: 'the record changed since it was read',
    remedy: 'none: it is read again',
  },
  LEASE_LOST: {
    retry: 'terminal',
    meaning: 'this coordinator no longer leads; its successor goes on',
    remedy: 'none',
  },
  CLOUD_THROTTLED: {
    retry: 'retryable',
    meaning: 'EC2 throttled the call',
    remedy: 'none; if it lasts, look for other callers in this account and Region',
  },
  CLOUD_UNAVAILABLE: {
    retry: 'retryable',
    meaning: 'a read from EC2 failed (timeout, 5xx or connection)',
    remedy: 'check the endpoint and the Region',
  },
  CLOUD_OUTCOME_UNKNOWN: {
    retry: 'observe',
    meaning: 'a mutating EC2 call was sent and its outcome is unknown',
    remedy: 'none: the result is observed before anything is repeated',
  },
  CLOUD_NOT_FOUND: {
    retry: 'observe',
    meaning: 'EC2 does not know the resource (yet, or any more)',
    remedy: 'none; EC2 is eventually consistent',
  },
  CLOUD_CAPACITY: {
    retry: 'terminal',
    meaning: 'EC2 has no capacity for this placement',
    remedy: 'none: the next placement candidate is tried; give the group more candidates',
  },
  CLOUD_CONFLICT: {
    retry: 'observe',
    meaning: 'the resource is in a state that refuses the call (in use, wrong state, duplicate)',
    remedy: 'none: the resource is looked at again',
  },
  CLOUD_DENIED: {
    retry: 'terminal',
    meaning: 'EC2 refused the credentials or the permission',
    remedy: 'check the coordinator role against `understudy iam-policy`',
  },
  CLOUD_REJECTED: {
    retry: 'terminal',
    meaning: 'EC2 refused the request as it stands',
    remedy: 'read the EC2 code in the message; it is a bug or a resource that is gone',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface OperationErrorOptions {
  readonly cause?: unknown;
  readonly upstreamCode?: string;
  readonly action?: string;
  readonly httpStatus?: number;
}

/**
 * An expected failure with a code from {@link ERROR_TABLE}. Always pass `cause` when there is one.
 */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: ErrorCode;
  readonly retry: RetryClass;
  /**
   * The other side's own code (`InsufficientInstanceCapacity`, gRPC status …) when there is one.
   */
  readonly upstreamCode: string | undefined;
  /** Name of the call that failed (`DescribeVolumes` …) where there is one. */
  readonly action: string | undefined;
  /** HTTP status of the answer. Absent when there was none. */
  readonly httpStatus: number | undefined;

  constructor(code: ErrorCode, detail: string, options: OperationErrorOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = ERROR_TABLE[code].retry;
    this.upstreamCode = options.upstreamCode;
    this.action = options.action;
    this.httpStatus = options.httpStatus;
  }

  /** What it means and what to do, for an operator. */
  explain(): string {
    return `${ERROR_TABLE[this.code].meaning}; ${ERROR_TABLE[this.code].remedy}`;
  }
}

export const isOperationError = (error: unknown): error is OperationError =>
  error instanceof Error && error.name === 'OperationError' && 'code' in error;

export const hasCode = (error: unknown, code: ErrorCode): boolean => isOperationError(error) && error.code === code;

/** One line for a log or a record, never a stack. */
export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
