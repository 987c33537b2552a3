import { InvariantViolation, OperationError } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { mapEc2Error } from './map-error.ts';

/** An error as the SDK throws it. */
function ec2Error(code: string, status: number, message = 'said EC2'): Error {
  const error = new Error(message);
  error.name = code;
  return Object.assign(error, { $fault: status < 500 ? 'client' : 'server', $metadata: { httpStatusCode: status } });
}
const named = (name: string, message = ''): Error => Object.assign(new Error(message), { name });

const mutating = { action: 'RunInstances', mutating: true };
const read = { action: 'DescribeInstances', mutating: false };

/** [EC2 code, HTTP status, code of a mutating call, code of a read] */
const TABLE: readonly (readonly [string, number, string, string?])[] = [
  ['RequestLimitExceeded', 503, 'CLOUD_THROTTLED'],
  ['Client.RequestLimitExceeded', 503, 'CLOUD_THROTTLED'],
  ['Throttling', 400, 'CLOUD_THROTTLED'],
  ['ThrottlingException', 400, 'CLOUD_THROTTLED'],
  ['RequestThrottled', 400, 'CLOUD_THROTTLED'],
  ['EC2ThrottledException', 503, 'CLOUD_THROTTLED'],
  ['BandwidthLimitExceeded', 503, 'CLOUD_THROTTLED'],
  ['SlowDown', 503, 'CLOUD_THROTTLED'],
  ['ResourceLimitExceeded', 400, 'CLOUD_THROTTLED'],
  ['ConcurrentSnapshotLimitExceeded', 400, 'CLOUD_THROTTLED'],
  ['SnapshotCreationPerVolumeRateExceeded', 400, 'CLOUD_THROTTLED'],
  ['PendingSnapshotLimitExceeded', 400, 'CLOUD_THROTTLED'],
  ['ConcurrentTagAccess', 400, 'CLOUD_THROTTLED'],
  ['InsufficientInstanceCapacity', 500, 'CLOUD_CAPACITY'],
  ['InsufficientHostCapacity', 500, 'CLOUD_CAPACITY'],
  ['InsufficientCapacityOnHost', 400, 'CLOUD_CAPACITY'],
  ['UnavailableHostRequirements', 400, 'CLOUD_CAPACITY'],
  ['InsufficientReservedInstanceCapacity', 500, 'CLOUD_CAPACITY'],
  ['ReservationCapacityExceeded', 400, 'CLOUD_CAPACITY'],
  ['InsufficientAddressCapacity', 500, 'CLOUD_CAPACITY'],
  ['InsufficientVolumeCapacity', 500, 'CLOUD_CAPACITY'],
  ['InsufficientFreeAddressesInSubnet', 400, 'CLOUD_CAPACITY'],
  ['Unsupported', 400, 'CLOUD_CAPACITY'],
  ['VolumeTypeNotAvailableInZone', 400, 'CLOUD_CAPACITY'],
  ['InvalidZone.NotFound', 400, 'CLOUD_CAPACITY'],
  ['InstanceLimitExceeded', 400, 'CLOUD_CAPACITY'],
  ['VcpuLimitExceeded', 400, 'CLOUD_CAPACITY'],
  ['InvalidInstanceID.NotFound', 400, 'CLOUD_NOT_FOUND'],
  ['InvalidNetworkInterfaceID.NotFound', 400, 'CLOUD_NOT_FOUND'],
  ['InvalidSubnetID.NotFound', 400, 'CLOUD_NOT_FOUND'],
  ['InvalidSnapshot.NotFound', 400, 'CLOUD_NOT_FOUND'],
  ['InvalidAMIID.NotFound', 400, 'CLOUD_NOT_FOUND'],
  ['InvalidAMIID.Unavailable', 400, 'CLOUD_NOT_FOUND'],
  ['InvalidAssociationID.NotFound', 400, 'CLOUD_NOT_FOUND'],
  ['IncorrectState', 400, 'CLOUD_CONFLICT'],
  ['IncorrectInstanceState', 400, 'CLOUD_CONFLICT'],
  ['InvalidState', 400, 'CLOUD_CONFLICT'],
  ['VolumeInUse', 400, 'CLOUD_CONFLICT'],
  ['InvalidIPAddress.InUse', 400, 'CLOUD_CONFLICT'],
  ['InvalidNetworkInterface.InUse', 400, 'CLOUD_CONFLICT'],
  ['InvalidSnapshot.InUse', 400, 'CLOUD_CONFLICT'],
  ['InvalidAMIName.Duplicate', 400, 'CLOUD_CONFLICT'],
  ['OperationNotPermitted', 400, 'CLOUD_CONFLICT'],
  ['Resource.AlreadyAssociated', 400, 'CLOUD_CONFLICT'],
  ['DependencyViolation', 400, 'CLOUD_CONFLICT'],
  ['IdempotentParameterMismatch', 400, 'CLOUD_CONFLICT'],
  ['IdempotentInstanceTerminated', 400, 'CLOUD_CONFLICT'],
  ['UnauthorizedOperation', 403, 'CLOUD_DENIED'],
  ['AuthFailure', 401, 'CLOUD_DENIED'],
  ['AccessDenied', 403, 'CLOUD_DENIED'],
  ['OptInRequired', 403, 'CLOUD_DENIED'],
  ['PendingVerification', 400, 'CLOUD_DENIED'],
  ['AccountDisabled', 400, 'CLOUD_DENIED'],
  ['Blocked', 403, 'CLOUD_DENIED'],
  ['TagPolicyViolation', 400, 'CLOUD_DENIED'],
  ['RequestExpired', 400, 'CLOUD_THROTTLED'],
  ['RequestTimeTooSkewed', 403, 'CLOUD_THROTTLED'],
  ['SignatureDoesNotMatch', 403, 'CLOUD_DENIED'],
  ['InvalidClientTokenId', 403, 'CLOUD_DENIED'],
  ['ExpiredToken', 400, 'CLOUD_DENIED'],
  ['ExpiredTokenException', 400, 'CLOUD_DENIED'],
  ['UnrecognizedClientException', 400, 'CLOUD_DENIED'],
  ['InvalidSignatureException', 400, 'CLOUD_DENIED'],
  ['MissingAuthenticationTokenException', 400, 'CLOUD_DENIED'],
  ['IncompleteSignatureException', 400, 'CLOUD_DENIED'],
  ['NotAuthorized', 401, 'CLOUD_DENIED'],
  ['InvalidClientToken', 400, 'CLOUD_REJECTED'],
  ['UnsupportedOperation', 400, 'CLOUD_REJECTED'],
  ['InvalidParameterCombination', 400, 'CLOUD_REJECTED'],
  ['InvalidInstanceID.Malformed', 400, 'CLOUD_REJECTED'],
  ['VolumeLimitExceeded', 400, 'CLOUD_REJECTED'],
  ['InvalidBlockDeviceMapping', 400, 'CLOUD_REJECTED'],
  ['InventedTomorrow', 400, 'CLOUD_REJECTED'],
  ['InternalError', 500, 'CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE'],
  ['InternalFailure', 500, 'CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE'],
  ['ServiceUnavailable', 503, 'CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE'],
  ['Unavailable', 503, 'CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE'],
  ['InventedTomorrow', 500, 'CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE'],
  ['RequestTimeout', 408, 'CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE'],
];

describe('an answer of EC2 is told as', () => {
  const rows = TABLE.map(([upstream, status, expected, expectedOfRead = expected]) => ({
    upstream,
    status,
    expected,
    expectedOfRead,
  }));
  it.each(rows)('$upstream ($status): $expected', ({ upstream, status, expected, expectedOfRead }) => {
    const cause = ec2Error(upstream, status);
    const error = mapEc2Error(cause, mutating);
    expect(error.code).toBe(expected);
    expect(error.upstreamCode).toBe(upstream.replace('Client.', ''));
    expect(error.cause).toBe(cause);
    expect(mapEc2Error(cause, read).code).toBe(expectedOfRead);
  });

  it.each([
    ["Network interface 'eni-1' is currently in use.", 'CLOUD_CONFLICT'],
    ['Invalid IAM Instance Profile name', 'CLOUD_REJECTED'],
  ])('InvalidParameterValue "%s": %s', (message, expected) => {
    expect(mapEc2Error(ec2Error('InvalidParameterValue', 400, message), mutating).code).toBe(expected);
  });
});

describe('no answer of EC2 leaves the outcome of a mutating call unknown', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['a timeout', named('TimeoutError')],
    ['an abort', named('AbortError')],
    ['a closed socket', Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })],
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ['an unreadable answer', new SyntaxError('unexpected end of XML')],
    ['something that is no error', 'oops'],
    ['nothing', undefined],
  ];
  it.each(cases)('%s', (_, cause) => {
    expect(mapEc2Error(cause, mutating).code).toBe('CLOUD_OUTCOME_UNKNOWN');
    expect(mapEc2Error(cause, read).code).toBe('CLOUD_UNAVAILABLE');
  });
});

describe('a refusal without an EC2 error code is no refusal', () => {
  const page = (name: string, status: number, fault: object = {}): Error =>
    Object.assign(new Error('<html>no</html>'), { name, $metadata: { httpStatusCode: status }, ...fault });
  const cases: readonly (readonly [string, Error])[] = [
    ['a page the SDK cannot parse, 403', page('Error', 403)],
    ['a page the SDK cannot parse, 404', page('SyntaxError', 404)],
    ['XML without a code', page('EC2ServiceException', 400, { $fault: 'client' })],
    ['the status in place of a code', page('403', 403, { $fault: 'client' })],
    ['a name that is no code', page('not found', 404, { $fault: 'client' })],
    ['an unknown error', page('UnknownError', 404, { $fault: 'client' })],
    ['a page with a name like a code of EC2, but no word that it is one', page('UnauthorizedOperation', 403)],
  ];
  it.each(cases)('%s: the outcome is unknown', (_, cause) => {
    expect(mapEc2Error(cause, mutating).code).toBe('CLOUD_OUTCOME_UNKNOWN');
    expect(mapEc2Error(cause, read).code).toBe('CLOUD_UNAVAILABLE');
  });

  it('a missing right is told by its name, without EC2’s encoded account of it; else that is kept', () => {
    const encoded = 'Encoded authorization failure message: AbC-dEf_123';
    const told = (text: string) => mapEc2Error(ec2Error('UnauthorizedOperation', 403, text), mutating).message;
    const named = 'User: arn:x is not authorized to perform: ec2:RunInstances on resource: arn:y.';
    expect(told(`You are not authorized. ${named} ${encoded}`)).toMatch(/on resource: arn:y\.$/);
    expect(told(`You are not authorized. ${encoded}`)).toContain('AbC-dEf_123');
  });

  it('the words for people hold nothing of the SDK’s own', () => {
    const text =
      'mismatched tags. Deserialization error: to see the raw response, inspect the hidden field {error}.$response on this object.';
    const error = mapEc2Error(Object.assign(new Error(text), { $metadata: { httpStatusCode: 200 } }), mutating);
    expect(error.message).toBe('CLOUD_OUTCOME_UNKNOWN: RunInstances: Error: mismatched tags.');
  });
});

describe('what never reached EC2', () => {
  it('keeps its own code', () => {
    const lost = new OperationError('LEASE_LOST', 'gone');
    expect(mapEc2Error(lost, mutating)).toBe(lost);
  });

  it('is a denial when there are no credentials', () => {
    expect(mapEc2Error(named('CredentialsProviderError'), mutating).code).toBe('CLOUD_DENIED');
  });

  it.each([
    ['CredentialsProviderError', 'nothing was sent: give the coordinator credentials'],
    ['ExpiredToken', 'the credentials have expired'],
    ['SignatureDoesNotMatch', 'check the access key'],
    ['InvalidSignatureException', 'check the access key'],
    ['ExpiredTokenException', 'the credentials have expired'],
    ['RequestExpired', "check this host's clock"],
  ])('%s comes with its own remedy', (code, remedy) => {
    const cause = code === 'CredentialsProviderError' ? named(code) : ec2Error(code, 403);
    expect(mapEc2Error(cause, mutating).message).toContain(`; ${remedy}`);
  });

  it.each([
    ['InvalidSignatureException', 'Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z'],
    ['InvalidSignatureException', 'Signature not yet current: 20260101T001000Z is still later than 20260101T000500Z'],
    ['SignatureDoesNotMatch', 'Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z'],
  ])('%s with "%.16s…" is about a clock, and passes: the next call is dated right', (code, message) => {
    const error = mapEc2Error(ec2Error(code, 403, message), mutating);
    expect([error.code, error.upstreamCode]).toEqual(['CLOUD_THROTTLED', code]);
    expect(error.message).toContain("; check this host's clock");
  });

  it('passes through when it is a bug of ours', () => {
    expect(() => mapEc2Error(new InvariantViolation('bug'), mutating)).toThrow(InvariantViolation);
  });
});
