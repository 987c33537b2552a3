import { OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { mapEc2Error } from '@understudy/aws';
import type { RefusalClass } from './refusal-class.ts';
import { madeNothing, REFUSAL_CLASSES, refusalClassOf } from './refusals.ts';

/** As EC2 answers a mutating call: its code, in an error of the SDK's shape. */
const answered = (code: string, httpStatus: number): OperationError => {
  const error = Object.assign(new Error('because'), {
    name: code,
    Code: code,
    $fault: httpStatus < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: httpStatus, requestId: '6f1f0a1e-0000-4000-8000-000000000000' },
  });
  return mapEc2Error(error, { action: 'RunInstances', mutating: true });
};

/** EC2's codes for launches and captures with their HTTP class, and what they mean for the call. */
const FACTS: readonly (readonly [string, number, RefusalClass])[] = [
  ['InsufficientInstanceCapacity', 500, 'capacity'],
  ['InsufficientHostCapacity', 500, 'capacity'],
  ['InsufficientCapacityOnHost', 400, 'capacity'],
  ['UnavailableHostRequirements', 400, 'capacity'],
  ['InsufficientReservedInstanceCapacity', 500, 'capacity'],
  ['ReservationCapacityExceeded', 400, 'capacity'],
  ['InsufficientAddressCapacity', 500, 'capacity'],
  ['InsufficientVolumeCapacity', 500, 'capacity'],
  ['InsufficientFreeAddressesInSubnet', 400, 'capacity'],
  ['InstanceLimitExceeded', 400, 'quota'],
  ['VcpuLimitExceeded', 400, 'quota'],
  ['MaxSpotInstanceCountExceeded', 400, 'capacity'],
  ['SpotMaxPriceTooLow', 400, 'capacity'],
  ['UnfulfillableCapacity', 400, 'capacity'],
  ['AddressLimitExceeded', 400, 'account-limit'],
  ['NetworkInterfaceLimitExceeded', 400, 'account-limit'],
  ['PrivateIpAddressLimitExceeded', 400, 'account-limit'],
  ['VolumeLimitExceeded', 400, 'account-limit'],
  ['MaxIOPSLimitExceeded', 400, 'account-limit'],
  ['Unsupported', 400, 'candidate'],
  ['UnsupportedOperation', 400, 'candidate'],
  ['VolumeTypeNotAvailableInZone', 400, 'candidate'],
  ['UnknownVolumeType', 400, 'candidate'],
  ['InvalidAvailabilityZone', 400, 'candidate'],
  ['InvalidZone.NotFound', 400, 'candidate'],
  ['InvalidSubnetID.NotFound', 400, 'candidate'],
  ['InvalidSubnet', 400, 'candidate'],
  ['AttachmentLimitExceeded', 400, 'candidate'],
  ['InvalidInterface.IpAddressLimitExceeded', 400, 'candidate'],
  ['SecurityGroupsPerInterfaceLimitExceeded', 400, 'candidate'],
  ['InvalidParameterValue', 400, 'candidate'],
  ['InvalidParameterCombination', 400, 'candidate'],
  ['InvalidPlacementGroup.Unknown', 400, 'candidate'],
  ['InvalidHostID.NotFound', 400, 'candidate'],
  ['InvalidHostState', 400, 'candidate'],
  ['InvalidCapacityReservationId.NotFound', 400, 'candidate'],
  ['InvalidCapacityReservationState', 400, 'candidate'],
  ['InvalidAMIID.NotFound', 400, 'lag'],
  ['InvalidAMIID.Unavailable', 400, 'lag'],
  ['InvalidSnapshot.NotFound', 400, 'lag'],
  ['InvalidGroup.NotFound', 400, 'lag'],
  ['InvalidSecurityGroupID.NotFound', 400, 'lag'],
  ['InvalidNetworkInterfaceID.NotFound', 400, 'lag'],
  ['InvalidIPAddress.InUse', 400, 'conflict'],
  ['InvalidNetworkInterface.InUse', 400, 'conflict'],
  ['DependencyViolation', 400, 'conflict'],
  ['IncorrectState', 400, 'conflict'],
  ['IncorrectInstanceState', 400, 'conflict'],
  ['InvalidState', 400, 'conflict'],
  ['VolumeInUse', 400, 'conflict'],
  ['OperationNotPermitted', 400, 'conflict'],
  ['InvalidBlockDeviceMapping', 400, 'hopeless'],
  ['InvalidKeyPair.NotFound', 400, 'key-pair'],
  ['InvalidLaunchTemplateId.NotFound', 400, 'hopeless'],
  ['MissingParameter', 400, 'hopeless'],
  ['UnknownParameter', 400, 'hopeless'],
  ['ValidationError', 400, 'hopeless'],
  ['InvalidUserData.Malformed', 400, 'hopeless'],
  ['InvalidClientToken', 400, 'hopeless'],
  ['InvalidKMSKey.InvalidState', 400, 'key'],
  ['InvalidKmsKey.NotFound', 400, 'key'],
  ['KMSKeyNotAccessibleFault', 400, 'key'],
  ['KMSInvalidStateException', 400, 'key'],
  ['IdempotentParameterMismatch', 400, 'unknown'],
  ['IdempotentInstanceTerminated', 400, 'launched'],
  ['UnauthorizedOperation', 403, 'denied'],
  ['AuthFailure', 401, 'denied'],
  ['AccessDenied', 403, 'denied'],
  ['Blocked', 403, 'denied'],
  ['OptInRequired', 401, 'denied'],
  ['PendingVerification', 400, 'denied'],
  ['AccountDisabled', 400, 'denied'],
  ['TagPolicyViolation', 400, 'denied'],
  ['SignatureDoesNotMatch', 403, 'denied'],
  ['InvalidClientTokenId', 403, 'denied'],
  ['ExpiredToken', 400, 'denied'],
  ['RequestExpired', 400, 'transient'],
  ['RequestLimitExceeded', 503, 'transient'],
  ['Throttling', 400, 'transient'],
  ['BandwidthLimitExceeded', 503, 'transient'],
  ['ResourceLimitExceeded', 400, 'transient'],
  ['ConcurrentSnapshotLimitExceeded', 400, 'transient'],
  ['SnapshotCreationPerVolumeRateExceeded', 400, 'transient'],
  ['PendingSnapshotLimitExceeded', 400, 'transient'],
  ['ConcurrentTagAccess', 400, 'transient'],
  ['InternalError', 500, 'unknown'],
  ['InternalFailure', 500, 'unknown'],
  ['ServerInternal', 500, 'unknown'],
  ['ServiceUnavailable', 503, 'unknown'],
  ['Unavailable', 503, 'unknown'],
  ['RetryableError', 503, 'unknown'],
];

describe('what an answer of EC2 means for the call', () => {
  test.each(FACTS)('%s (%i): %s', (code, httpStatus, want) =>
    expect(refusalClassOf(answered(code, httpStatus))).toBe(want),
  );

  test.each(FACTS)('%s (%i) costs a try only if something may have been made', (code, httpStatus, want) =>
    expect(madeNothing(answered(code, httpStatus))).toBe(want !== 'unknown' && want !== 'launched'),
  );

  test('the whole table has been tried with what it is listed as, or is an alias of that', () => {
    const tried = new Set(FACTS.map(([code]) => code));
    const untried = [...REFUSAL_CLASSES].filter(([code]) => !tried.has(code));
    const different = untried.filter(([code, refusal]) => refusalClassOf(answered(code, 400)) !== refusal);
    // A server's own fault has no 4xx form, and "denied" is denied whatever says so.
    expect(different).toEqual([]);
  });
});

describe('a code nobody has told us', () => {
  test('refused: the candidate, so another one is tried and each reason is told', () =>
    expect(refusalClassOf(answered('NewRuleViolated', 400))).toBe('candidate'));
  test('not found: it may not be known yet', () =>
    expect(refusalClassOf(answered('InvalidNew.NotFound', 400))).toBe('lag'));
  test('in use: look', () => expect(refusalClassOf(answered('InvalidNew.InUse', 400))).toBe('conflict'));
  test("the server's fault: it may have been applied", () =>
    expect(refusalClassOf(answered('NewServerFault', 500))).toBe('unknown'));
  test('no answer at all: it may have been applied', () => {
    const error = mapEc2Error(new Error('socket hang up'), { action: 'RunInstances', mutating: true });
    expect(refusalClassOf(error)).toBe('unknown');
    expect(madeNothing(error)).toBe(false);
  });
});
