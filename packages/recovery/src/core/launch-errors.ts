import { THROTTLE_CODES } from '@understudy/shared';
import type { RefusalClass } from './refusal-class.ts';

/**
 * What follows from an answer of EC2 to a launch, a start, a network interface or a copy of
 * volumes. `next`: the next placement candidate. `retry`: the same request again, after a pause.
 * `wait`: until what is in the way is gone, then the same. `look`: nobody knows what came of it, so
 * it is looked for. `abort`: the recovery is held, because only a person can change it.
 */
export type LaunchErrorAction = 'next' | 'retry' | 'wait' | 'look' | 'abort';

/** One line of the table: codes that mean the same, and what is done. */
export interface LaunchErrorRow {
  /** EC2's codes (API reference, errors-overview). */
  readonly codes: readonly string[];
  readonly refusal: RefusalClass;
  /** In the order in which they are done. */
  readonly does: readonly [LaunchErrorAction, ...LaunchErrorAction[]];
  /** What is special about it, for `docs/placement.md`. */
  readonly text: string;
}

const row = (
  refusal: RefusalClass,
  codes: readonly string[],
  does: LaunchErrorRow['does'],
  text: string,
): LaunchErrorRow => ({ codes, refusal, does, text });

/** Every answer that is known, in the order of the document it is from. */
export const LAUNCH_ERRORS: readonly LaunchErrorRow[] = [
  row(
    'capacity',
    ['InsufficientInstanceCapacity', 'InsufficientCapacity'],
    ['next', 'retry'],
    'no room for this type in this zone; the same candidate again after a pause when all were asked',
  ),
  row(
    'capacity',
    ['InsufficientHostCapacity', 'InsufficientCapacityOnHost', 'UnavailableHostRequirements'],
    ['next', 'retry'],
    'no room on a Dedicated Host',
  ),
  row(
    'capacity',
    ['InsufficientReservedInstanceCapacity', 'ReservationCapacityExceeded'],
    ['next', 'retry'],
    'the capacity reservation is full; the place of the old instance is free once it is fenced',
  ),
  row('capacity', ['InsufficientAddressCapacity'], ['next', 'retry'], 'no public address is left in the zone'),
  row('capacity', ['InsufficientVolumeCapacity'], ['next', 'retry'], 'no room for this type of volume in the zone'),
  row(
    'capacity',
    ['InsufficientFreeAddressesInSubnet'],
    ['next', 'retry'],
    'another subnet of the same zone first, if the policy has one',
  ),
  row(
    'candidate',
    ['Unsupported', 'UnsupportedHostConfiguration', 'InvalidInstanceType'],
    ['next', 'abort'],
    'the zone does not have the type or the feature',
  ),
  row(
    'candidate',
    ['UnsupportedOperation'],
    ['next', 'abort'],
    'the type does not fit the image, or a rule of the account forbids the options',
  ),
  row(
    'candidate',
    ['VolumeTypeNotAvailableInZone', 'UnknownVolumeType'],
    ['next', 'abort'],
    'the zone does not have the type of volume',
  ),
  row('candidate', ['InvalidAvailabilityZone', 'InvalidZone.NotFound'], ['next', 'abort'], 'there is no such zone'),
  row(
    'candidate',
    ['InvalidSubnetID.NotFound', 'InvalidSubnetId.NotFound', 'InvalidSubnet'],
    ['next', 'abort'],
    'there is no such subnet: the policy should be corrected',
  ),
  row(
    'quota',
    ['InstanceLimitExceeded', 'VcpuLimitExceeded'],
    ['next', 'retry'],
    'a quota is per Region and family of types: candidates of another family first; ended instances count for a while, so it is asked again',
  ),
  row(
    'capacity',
    ['MaxSpotInstanceCountExceeded', 'SpotMaxPriceTooLow', 'UnfulfillableCapacity'],
    ['next', 'retry'],
    'Spot capacity: the policy says whether on-demand candidates follow',
  ),
  row(
    'account-limit',
    ['AddressLimitExceeded', 'NetworkInterfaceLimitExceeded', 'PrivateIpAddressLimitExceeded'],
    ['abort'],
    'a limit of the account, in every zone: have it raised, or remove what is not needed',
  ),
  row(
    'candidate',
    ['InvalidInterface.IpAddressLimitExceeded', 'AttachmentLimitExceeded', 'SecurityGroupsPerInterfaceLimitExceeded'],
    ['next', 'abort'],
    'a limit of the type: a larger one may do',
  ),
  row(
    'account-limit',
    ['VolumeLimitExceeded', 'MaxIOPSLimitExceeded'],
    ['abort'],
    'a limit of the account, in every zone: have it raised, or remove what is not needed',
  ),
  row(
    'conflict',
    ['InvalidIPAddress.InUse', 'InvalidNetworkInterface.InUse', 'InvalidNetworkInterfaceID.InUse'],
    ['look', 'wait', 'retry'],
    'the old interface has not let go yet; `InvalidParameterValue` with "in use" says the same',
  ),
  row(
    'lag',
    ['InvalidAMIID.NotFound', 'InvalidAMIID.Unavailable'],
    ['wait', 'retry', 'abort'],
    'the image is new: for a while it is not known everywhere',
  ),
  row('lag', ['InvalidSnapshot.NotFound'], ['wait', 'retry', 'abort'], 'the snapshot is new, or gone'),
  row('hopeless', ['InvalidBlockDeviceMapping'], ['abort'], 'a fault of ours, or of the plan'),
  row(
    'key-pair',
    ['InvalidKeyPair.NotFound'],
    ['next', 'retry'],
    'again without the key pair: its public key is on the root disk',
  ),
  row(
    'lag',
    ['InvalidGroup.NotFound', 'InvalidSecurityGroupID.NotFound'],
    ['wait', 'retry', 'abort'],
    'for a while a group is not known everywhere',
  ),
  row(
    'lag',
    ['InvalidNetworkInterfaceID.NotFound', 'InvalidNetworkInterfaceId.NotFound'],
    ['wait', 'retry', 'next'],
    'the permit is new; one that is gone takes another attempt',
  ),
  row(
    'candidate',
    [
      'InvalidPlacementGroup.Unknown',
      'InvalidPlacementGroupId.NotFound',
      'PlacementGroup.LimitExceeded',
      'InvalidHostID.NotFound',
      'InvalidHostId.NotFound',
      'InvalidHostState',
      'InvalidCapacityReservationId.NotFound',
      'InvalidCapacityReservationState',
      'InvalidTenancy',
    ],
    ['next', 'abort'],
    'candidates elsewhere do without it; `recover.leaveOutWhenGone` says what may be left out in its own zone',
  ),
  row(
    'hopeless',
    ['InvalidLaunchTemplateId.NotFound', 'InvalidLaunchTemplateId.Malformed'],
    ['abort'],
    'no launch of ours names a template',
  ),
  row(
    'candidate',
    ['InvalidParameterValue', 'InvalidParameterCombination', 'InvalidParameter'],
    ['next', 'abort'],
    'often a matter of the type; with an instance profile in the text it is new, and waited for',
  ),
  row(
    'hopeless',
    [
      'MissingParameter',
      'UnknownParameter',
      'ValidationError',
      'InvalidUserData.Malformed',
      'InvalidAMIID.Malformed',
      'InvalidAction',
      'MalformedQueryString',
      'TagLimitExceeded',
    ],
    ['abort'],
    'the request itself: every candidate carries it',
  ),
  row(
    'unknown',
    ['IdempotentParameterMismatch'],
    ['look'],
    'something was launched under this token with other parameters, or is being launched',
  ),
  row('launched', ['IdempotentInstanceTerminated'], ['next'], 'the token is used up: the next attempt has its own'),
  row('hopeless', ['InvalidClientToken'], ['abort'], 'a fault of ours'),
  row(
    'denied',
    [
      'UnauthorizedOperation',
      'AccessDenied',
      'AccessDeniedException',
      'AuthFailure',
      'Blocked',
      'OptInRequired',
      'PendingVerification',
      'AccountDisabled',
      'TagPolicyViolation',
    ],
    ['abort'],
    'a person has to allow it',
  ),
  row(
    'transient',
    ['RequestExpired', 'RequestTimeTooSkewed'],
    ['retry'],
    "dated by a clock that is off: the SDK takes EC2's time from this very answer",
  ),
  row(
    'denied',
    [
      'SignatureDoesNotMatch',
      'InvalidSignatureException',
      'InvalidClientTokenId',
      'UnrecognizedClientException',
      'MissingAuthenticationToken',
      'IncompleteSignature',
      'MissingAuthenticationTokenException',
      'IncompleteSignatureException',
      'ExpiredToken',
      'ExpiredTokenException',
      'CredentialsProviderError',
      'TokenProviderError',
    ],
    ['abort', 'retry'],
    'the credentials: the hold goes by itself once they are good again',
  ),
  row(
    'transient',
    [
      ...THROTTLE_CODES,
      'ResourceLimitExceeded',
      'ConcurrentSnapshotLimitExceeded',
      'SnapshotCreationPerVolumeRateExceeded',
      'PendingSnapshotLimitExceeded',
      'CopyVolumesLimitExceeded',
      'SnapshotLimitExceeded',
      'ConcurrentTagAccess',
    ],
    ['retry'],
    'rates, and limits that pass by themselves',
  ),
  row(
    'unknown',
    ['InternalError', 'InternalFailure', 'ServerInternal', 'ServiceUnavailable', 'Unavailable', 'RetryableError'],
    ['look', 'retry', 'next'],
    "a server's fault says nothing of what it did before: the same token again, then another candidate",
  ),
  row(
    'conflict',
    [
      'DependencyViolation',
      'IncorrectState',
      'IncorrectInstanceState',
      'InvalidState',
      'VolumeInUse',
      'OperationNotPermitted',
      'InvalidAMIName.Duplicate',
      'Resource.AlreadyAssociated',
      'Resource.AlreadyAssigned',
      'InvalidSnapshot.InUse',
      'InvalidAddress.Locked',
    ],
    ['look', 'wait', 'retry'],
    'something is in a state that forbids it: each step looks, and decides',
  ),
];
