import {
  type ErrorCode,
  InvariantViolation,
  isOperationError,
  OperationError,
  rawOf,
  textOf,
  THROTTLE_CODES,
} from '@understudy/shared';

/**
 * EC2's codes (API reference, errors-overview) as ours. Of those not listed, `*.NotFound` is
 * CLOUD_NOT_FOUND, another 4xx is CLOUD_REJECTED, and everything else has an unknown outcome.
 */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ...group('CLOUD_THROTTLED', [
    ...THROTTLE_CODES,
    // These limits pass by themselves. The request was not applied.
    'ResourceLimitExceeded',
    'ConcurrentSnapshotLimitExceeded',
    'SnapshotCreationPerVolumeRateExceeded',
    'PendingSnapshotLimitExceeded',
    'ConcurrentTagAccess',
    // The request was dated by a clock that is off. The SDK takes EC2's time from this very answer,
    // so the next attempt is dated right.
    'RequestExpired',
    'RequestTimeTooSkewed',
    // Route 53 takes one change of a zone at a time. This one was not applied.
    'PriorRequestNotComplete',
    // Too many messages of a queue are in flight.
    'OverLimit',
    // KMS, for SNS.
    'KMSThrottling',
  ]),
  // The next placement candidate may succeed.
  ...group('CLOUD_CAPACITY', [
    'InsufficientInstanceCapacity',
    'InsufficientCapacity',
    'InsufficientHostCapacity',
    'InsufficientCapacityOnHost',
    'UnavailableHostRequirements',
    'InsufficientReservedInstanceCapacity',
    'ReservationCapacityExceeded',
    'InsufficientAddressCapacity',
    'InsufficientVolumeCapacity',
    'InsufficientFreeAddressesInSubnet',
    'UnfulfillableCapacity',
    'Unsupported',
    'VolumeTypeNotAvailableInZone',
    'InvalidAvailabilityZone',
    'InvalidZone.NotFound',
    'InstanceLimitExceeded',
    'VcpuLimitExceeded',
  ]),
  ...group('CLOUD_CONFLICT', [
    'IncorrectState',
    'IncorrectInstanceState',
    'InvalidState',
    'VolumeInUse',
    'DependencyViolation',
    'OperationNotPermitted',
    'Resource.AlreadyAssociated',
    'Resource.AlreadyAssigned',
    'InvalidIPAddress.InUse',
    'InvalidNetworkInterface.InUse',
    'InvalidNetworkInterfaceID.InUse',
    'InvalidSnapshot.InUse',
    'InvalidAddress.Locked',
    'InvalidAMIName.Duplicate',
    'IdempotentParameterMismatch',
    'IdempotentInstanceTerminated',
    // The record is not what the batch says it is, or the name is protected.
    'InvalidChangeBatch',
    'ConcurrentModification',
    // The target does not run (yet), or is in another VPC.
    'InvalidTarget',
    'InvalidTargetException',
  ]),
  ...group('CLOUD_NOT_FOUND', [
    'InvalidAMIID.Unavailable',
    'InvalidPlacementGroup.Unknown',
    'InvalidSubnet',
    'NoSuchHostedZone',
    'NoSuchChange',
    'TargetGroupNotFound',
    'TargetGroupNotFoundException',
    'LoadBalancerNotFound',
    'LoadBalancerNotFoundException',
    'AWS.SimpleQueueService.NonExistentQueue',
    'QueueDoesNotExist',
    // SNS has no such topic, EventBridge no such bus.
    'NotFound',
    'ResourceNotFoundException',
    'ParameterNotFound',
  ]),
  ...group('CLOUD_DENIED', [
    'UnauthorizedOperation',
    'AuthFailure',
    'AccessDenied',
    'AccessDeniedException',
    'Blocked',
    'OptInRequired',
    'PendingVerification',
    'AccountDisabled',
    'TagPolicyViolation',
    'SignatureDoesNotMatch',
    'InvalidClientTokenId',
    'UnrecognizedClientException',
    'NotAuthorizedException',
    // SQS may not use the key of the queue with our rights.
    'KMS.AccessDeniedException',
    'KmsAccessDenied',
    // SNS: the right is missing, or the key of the topic cannot be used.
    'AuthorizationError',
    'InvalidSecurity',
    'KMSAccessDenied',
    'KMSDisabled',
    'KMSInvalidState',
    'KMSNotFound',
    'KMSOptInRequired',
    // Secrets Manager cannot use the key of the secret.
    'DecryptionFailure',
    'MissingAuthenticationToken',
    'IncompleteSignature',
    // The same in the words of services that speak JSON.
    'InvalidSignatureException',
    'MissingAuthenticationTokenException',
    'IncompleteSignatureException',
    'NotAuthorized',
    'ExpiredToken',
    'ExpiredTokenException',
    // The SDK found no credentials, so nothing was sent.
    'CredentialsProviderError',
    'TokenProviderError',
  ]),
};

function group(code: ErrorCode, upstreamCodes: readonly string[]): Record<string, ErrorCode> {
  return Object.fromEntries(upstreamCodes.map((upstream) => [upstream, code]));
}

export interface FailedCall {
  readonly action: string;
  readonly mutating: boolean;
}

/**
 * The meaning of a failed call. Pure; a broken invariant passes through. `upstreamCode` is EC2's
 * own word.
 */
export function mapEc2Error(error: unknown, call: FailedCall): OperationError {
  if (error instanceof InvariantViolation) throw error;
  if (isOperationError(error)) return error;
  const raw = rawOf(error);
  const upstreamCode = upstreamCodeOf(error, raw);
  const message = shownMessage(error);
  const meant = meantBy(upstreamCode, message);
  const code = codeOf(meant, message, raw) ?? (call.mutating ? 'CLOUD_OUTCOME_UNKNOWN' : 'CLOUD_UNAVAILABLE');
  return new OperationError(code, `${call.action}: ${upstreamCode ?? 'error'}: ${message}${adviceFor(meant)}`, {
    cause: error,
    action: call.action,
    ...(upstreamCode === null ? {} : { upstreamCode }),
    ...statusOf(raw),
  });
}

/**
 * Services beside EC2 say of a date that is too far off that the signature is wrong, and only in
 * words that it has expired (AWS General Reference, Signature Version 4 troubleshooting).
 */
function meantBy(upstream: string | null, message: string): string | null {
  const isOfSignature = upstream === 'InvalidSignatureException' || upstream === 'SignatureDoesNotMatch';
  return isOfSignature && /^Signature (?:expired|not yet current)\b/.test(message) ? 'RequestExpired' : upstream;
}

function statusOf(raw: Readonly<Record<string, unknown>>): { readonly httpStatus?: number } {
  const { httpStatusCode } = rawOf(raw.$metadata);
  return typeof httpStatusCode === 'number' ? { httpStatus: httpStatusCode } : {};
}

/**
 * `name` is not an own property of every error class, so it is read from the error, not from a copy
 * of its members.
 */
function upstreamCodeOf(error: unknown, raw: Readonly<Record<string, unknown>>): string | null {
  const name = textOf(raw.Code) ?? (error instanceof Error ? error.name : textOf(raw.name));
  return name?.replace(/^(?:Client|Server)\./, '') ?? null;
}

/**
 * The message for people. What the SDK adds to a body it cannot parse tells them nothing they could
 * do. Where EC2 names the right that is missing, its encoded account of it, a thousand characters,
 * adds nothing.
 */
function shownMessage(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(
    /\s*Deserialization error: .*$/s,
    '',
  );
  if (!message.includes('is not authorized to perform: ')) return message;
  return message.replace(/\s*Encoded authorization failure message: \S*/, '');
}

/** Advice for codes whose general remedy would send people to the wrong place. */
const ADVICE: Readonly<Record<string, string>> = {
  ...same(
    ['CredentialsProviderError', 'TokenProviderError'],
    'nothing was sent: give the coordinator credentials (an instance profile, AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret)',
  ),
  ...same(
    ['ExpiredToken', 'ExpiredTokenException'],
    'the credentials have expired: renew them, or use an instance profile, which renews itself',
  ),
  ...same(
    [
      ...['InvalidClientTokenId', 'SignatureDoesNotMatch', 'UnrecognizedClientException', 'AuthFailure'],
      'InvalidSignatureException',
    ],
    'check the access key, its secret and the Region, and that nothing in between rewrites requests',
  ),
  ...same(
    ['RequestExpired', 'RequestTimeTooSkewed'],
    "check this host's clock: it is too far from that of AWS (the next call is dated by theirs); where it is right, the session has expired: renew the credentials",
  ),
};

const adviceFor = (upstream: string | null): string => {
  const advice = upstream === null ? undefined : ADVICE[upstream];
  return advice === undefined ? '' : `; ${advice}`;
};

function same(codes: readonly string[], advice: string): Record<string, string> {
  return Object.fromEntries(codes.map((code) => [code, advice]));
}

/** Our code for EC2's. Null: EC2 did not say definitely that it refused. */
function codeOf(upstream: string | null, message: string, raw: Readonly<Record<string, unknown>>): ErrorCode | null {
  if (upstream === null) return null;
  const isEc2s = isEc2Error(upstream, raw);
  if (!isEc2s && !LOCAL.has(upstream)) return null;
  const known = CODES[upstream];
  if (known) return known;
  if (!isRefusal(raw)) return null;
  if (upstream.endsWith('.NotFound')) return 'CLOUD_NOT_FOUND';
  if (upstream.endsWith('.InUse')) return 'CLOUD_CONFLICT';
  if (upstream === 'InvalidParameterValue' && IS_TAKEN.test(message)) return 'CLOUD_CONFLICT';
  return 'CLOUD_REJECTED';
}

/**
 * EC2 says so of a network interface or an address that is taken ("… is currently in use", "…
 * assigned, but move is not allowed").
 */
const IS_TAKEN = /\bin use\b|\bmove is not allowed\b|\balready assigned\b/i;

/** Names of errors that the SDK gives before anything was sent. */
const LOCAL: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TokenProviderError']);

/**
 * Names the SDK gives to answers in which it finds no code, and errors of the language. None of
 * them is EC2's word.
 */
const NO_CODES: ReadonlySet<string> = new Set([
  'Error',
  'EC2ServiceException',
  'KMSServiceException',
  'Route53ServiceException',
  'ElasticLoadBalancingV2ServiceException',
  'SQSServiceException',
  'SSMServiceException',
  'SecretsManagerServiceException',
  'SNSServiceException',
  'EventBridgeServiceException',
  'ForeignAnswer',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'UnknownError',
  'Unknown',
]);

/**
 * A refusal is EC2's only when it has a code in EC2's form (S18). An HTML page with a 403, say from
 * a proxy, is no refusal.
 */
function isEc2Error(upstream: string, raw: Readonly<Record<string, unknown>>): boolean {
  const { httpStatusCode } = rawOf(raw.$metadata);
  const isService = raw.$fault === 'client' || raw.$fault === 'server' || textOf(raw.Code) !== null;
  return (
    (isService || httpStatusCode === undefined) &&
    !NO_CODES.has(upstream) &&
    /^[A-Z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*$/.test(upstream)
  );
}

/**
 * True for an answer of EC2 with a 4xx status, or marked as the client's fault. A 408 is a timeout,
 * whatever its class.
 */
function isRefusal(raw: Readonly<Record<string, unknown>>): boolean {
  const status = rawOf(raw.$metadata).httpStatusCode;
  if (typeof status === 'number') return status >= 400 && status < 500 && status !== 408;
  return raw.$fault === 'client';
}
