import type { OperationError } from '@understudy/shared';

/**
 * What an EC2 error means for the call it answers.
 * - `transient`: refused, and it passes by itself (rates, concurrent and pending limits, a service
 *   that is down): the same call again, with backoff;
 * - `capacity`: refused; this placement has no room now, or a quota is used up: another candidate,
 *   and this one again later;
 * - `candidate`: refused, and this candidate never will do, although another one may;
 * - `lag`: refused; EC2 does not see something that was made a moment ago: the same call again for
 *   a while;
 * - `denied`: refused; a person has to allow it;
 * - `hopeless`: refused, and no repeat and no other candidate changes it;
 * - `key`: refused; the key of a volume cannot be used, until somebody makes that possible again;
 * - `conflict`: refused; something is in a state that forbids it: look, then decide;
 * - `launched`: the token was used, and what it launched is terminated;
 * - `unknown`: it may have been applied: look before anything else.
 */
export type RefusalClass =
  | 'transient'
  | 'capacity'
  | 'candidate'
  | 'lag'
  | 'denied'
  | 'hopeless'
  | 'key'
  | 'conflict'
  | 'launched'
  | 'unknown';

const listed = (refusal: RefusalClass, ...codes: readonly string[]): (readonly [string, RefusalClass])[] =>
  codes.map((code) => [code, refusal]);

/**
 * EC2's codes (API reference, errors-overview). Those of one line stand together in its action
 * table.
 */
export const REFUSAL_CLASSES: ReadonlyMap<string, RefusalClass> = new Map([
  // Rates, and limits that pass by themselves.
  ...listed('transient', 'RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'ThrottledException'),
  ...listed('transient', 'RequestThrottled', 'RequestThrottledException', 'TooManyRequestsException'),
  ...listed('transient', 'EC2ThrottledException', 'BandwidthLimitExceeded', 'SlowDown', 'ResourceLimitExceeded'),
  ...listed('transient', 'ConcurrentSnapshotLimitExceeded', 'SnapshotCreationPerVolumeRateExceeded'),
  ...listed('transient', 'PendingSnapshotLimitExceeded', 'ConcurrentTagAccess', 'SnapshotLimitExceeded'),
  // Dated by a clock that is off: the SDK takes EC2's time from this very answer.
  ...listed('transient', 'RequestExpired', 'RequestTimeTooSkewed'),
  // Room and quotas.
  ...listed('capacity', 'InsufficientInstanceCapacity', 'InsufficientCapacity', 'InsufficientHostCapacity'),
  ...listed('capacity', 'InsufficientCapacityOnHost', 'UnavailableHostRequirements'),
  ...listed('capacity', 'InsufficientReservedInstanceCapacity', 'ReservationCapacityExceeded'),
  ...listed('capacity', 'InsufficientAddressCapacity', 'InsufficientVolumeCapacity'),
  ...listed('capacity', 'InsufficientFreeAddressesInSubnet', 'UnfulfillableCapacity'),
  ...listed('capacity', 'InstanceLimitExceeded', 'VcpuLimitExceeded', 'MaxSpotInstanceCountExceeded'),
  ...listed('capacity', 'SpotMaxPriceTooLow', 'AddressLimitExceeded', 'NetworkInterfaceLimitExceeded'),
  ...listed('capacity', 'PrivateIpAddressLimitExceeded', 'VolumeLimitExceeded', 'MaxIOPSLimitExceeded'),
  // What another type, zone or subnet need not share.
  ...listed('candidate', 'Unsupported', 'UnsupportedOperation', 'UnsupportedHostConfiguration'),
  ...listed('candidate', 'VolumeTypeNotAvailableInZone', 'UnknownVolumeType', 'InvalidAvailabilityZone'),
  ...listed('candidate', 'InvalidZone.NotFound', 'InvalidSubnet', 'InvalidSubnetID.NotFound'),
  ...listed('candidate', 'InvalidSubnetId.NotFound', 'AttachmentLimitExceeded', 'InvalidInstanceType'),
  ...listed('candidate', 'InvalidInterface.IpAddressLimitExceeded', 'SecurityGroupsPerInterfaceLimitExceeded'),
  ...listed('candidate', 'InvalidParameterValue', 'InvalidParameterCombination', 'InvalidParameter'),
  ...listed('candidate', 'InvalidPlacementGroup.Unknown', 'InvalidPlacementGroupId.NotFound'),
  ...listed('candidate', 'InvalidHostID.NotFound', 'InvalidHostId.NotFound', 'InvalidHostState'),
  ...listed('candidate', 'InvalidCapacityReservationId.NotFound', 'InvalidCapacityReservationState'),
  ...listed('candidate', 'InvalidTenancy', 'PlacementGroup.LimitExceeded'),
  // Made moments before by this recovery.
  ...listed('lag', 'InvalidAMIID.NotFound', 'InvalidAMIID.Unavailable', 'InvalidSnapshot.NotFound'),
  ...listed('lag', 'InvalidNetworkInterfaceID.NotFound', 'InvalidNetworkInterfaceId.NotFound'),
  ...listed('lag', 'InvalidGroup.NotFound', 'InvalidSecurityGroupID.NotFound'),
  ...listed('denied', 'UnauthorizedOperation', 'AuthFailure', 'AccessDenied', 'AccessDeniedException', 'Blocked'),
  ...listed('denied', 'OptInRequired', 'PendingVerification', 'AccountDisabled', 'TagPolicyViolation'),
  ...listed('denied', 'SignatureDoesNotMatch', 'InvalidClientTokenId', 'UnrecognizedClientException'),
  ...listed('denied', 'MissingAuthenticationToken', 'IncompleteSignature', 'ExpiredToken', 'ExpiredTokenException'),
  ...listed('denied', 'CredentialsProviderError', 'TokenProviderError'),
  // The request itself: every candidate carries it.
  ...listed('hopeless', 'MissingParameter', 'UnknownParameter', 'ValidationError', 'InvalidBlockDeviceMapping'),
  ...listed('hopeless', 'InvalidKeyPair.NotFound', 'InvalidClientToken', 'InvalidAMIID.Malformed'),
  ...listed('hopeless', 'InvalidLaunchTemplateId.NotFound', 'InvalidLaunchTemplateId.Malformed'),
  ...listed('hopeless', 'InvalidUserData.Malformed', 'InvalidAction', 'TagLimitExceeded', 'MalformedQueryString'),
  ...listed('conflict', 'IncorrectState', 'IncorrectInstanceState', 'InvalidState', 'VolumeInUse'),
  ...listed('conflict', 'DependencyViolation', 'OperationNotPermitted', 'InvalidAMIName.Duplicate'),
  ...listed('conflict', 'Resource.AlreadyAssociated', 'Resource.AlreadyAssigned', 'InvalidIPAddress.InUse'),
  ...listed('conflict', 'InvalidNetworkInterface.InUse', 'InvalidNetworkInterfaceID.InUse', 'InvalidSnapshot.InUse'),
  ...listed('conflict', 'InvalidAddress.Locked'),
  ...listed('launched', 'IdempotentInstanceTerminated'),
  // Something was launched under this token with other parameters, or is being launched.
  ...listed('unknown', 'IdempotentParameterMismatch'),
  // A server's fault says nothing of what it did before.
  ...listed('unknown', 'InternalError', 'InternalFailure', 'ServerInternal', 'ServiceUnavailable', 'Unavailable'),
  ...listed('unknown', 'RetryableError'),
]);

/**
 * EC2 has several spellings for a key that does not exist, is in the wrong state or is not allowed
 * (`InvalidKMSKey.InvalidState`, `KMSKeyNotAccessible…`).
 */
const KEY_CODE = /^(?:Invalid)?KmsKey|^KMS\w*Exception$/i;

/**
 * The class of an error. EC2's own code decides where we know it. For one we do not know: what was
 * refused condemns the candidate (another may do, and when none does a person is told each reason),
 * and what was not certainly refused is `unknown`.
 */
export function refusalClassOf(error: OperationError): RefusalClass {
  const known = REFUSAL_CLASSES.get(error.upstreamCode ?? '');
  const certain = error.code !== 'CLOUD_OUTCOME_UNKNOWN' && error.code !== 'CLOUD_UNAVAILABLE';
  if (certain && KEY_CODE.test(error.upstreamCode ?? '')) return 'key';
  switch (error.code) {
    case 'CLOUD_OUTCOME_UNKNOWN':
      return 'unknown';
    case 'CLOUD_THROTTLED':
    case 'CLOUD_UNAVAILABLE':
      return known ?? 'transient';
    case 'CLOUD_CONFLICT':
      // EC2 says of several codes that something is in use: then the state is the matter, not the
      // request.
      return known === 'launched' || known === 'unknown' ? known : 'conflict';
    case 'CLOUD_DENIED':
      return 'denied';
    case 'CLOUD_CAPACITY':
      return known ?? 'capacity';
    case 'CLOUD_NOT_FOUND':
      return known ?? 'lag';
    case 'CLOUD_REJECTED':
      return known ?? 'candidate';
    default:
      return 'unknown';
  }
}

/**
 * The call certainly changed nothing: it costs no try, and may be sent again under the same number.
 */
export const madeNothing = (error: OperationError): boolean => {
  const refusal = refusalClassOf(error);
  return refusal !== 'unknown' && refusal !== 'launched';
};
