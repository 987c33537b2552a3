import { mapEc2Error } from '@understudy/aws';
import { describe, expect, test } from 'vitest';
import { LAUNCH_ERRORS, type LaunchErrorAction } from './launch-errors.ts';
import { adviseOnLaunchError } from './launch-outcome.ts';

/** As EC2 answers a mutating call: its code, in an error of the SDK's shape. */
const answered = (code: string, text = 'because', httpStatus = SERVER.has(code) ? 500 : 400) =>
  mapEc2Error(
    Object.assign(new Error(text), {
      ...{ name: code, Code: code, $fault: httpStatus < 500 ? 'client' : 'server' },
      $metadata: { httpStatusCode: httpStatus },
    }),
    { action: 'RunInstances', mutating: true },
  );

/** Codes that EC2 answers with a status of the 500s. */
const SERVER: ReadonlySet<string> = new Set([
  ...['InsufficientInstanceCapacity', 'InsufficientCapacity', 'InsufficientHostCapacity'],
  ...['InsufficientReservedInstanceCapacity', 'InsufficientAddressCapacity', 'InsufficientVolumeCapacity'],
  ...['InternalError', 'InternalFailure', 'ServerInternal', 'ServiceUnavailable', 'Unavailable', 'RetryableError'],
]);

/** What the engine does first, from the advice that it follows. */
function doneFirst(code: string, text?: string): LaunchErrorAction {
  const advice = adviseOnLaunchError(answered(code, text));
  if (advice.kind === 'failed') return 'next';
  if (advice.kind === 'again') return 'retry';
  if (advice.kind === 'lag') return 'wait';
  return advice.kind === 'observe' ? 'look' : 'abort';
}

describe.each(LAUNCH_ERRORS.map((row) => [row.codes[0] ?? '', row] as const))('an answer like %s', (_, row) => {
  test.each(row.codes)(`${row.does.join(', then ')}: %s`, (code) => expect(doneFirst(code)).toBe(row.does[0]));
});

/** EC2's own tables of answers, by what is to be done with each (errors-overview, ec2-launch). */
const DOCUMENTED: Readonly<Record<LaunchErrorAction, readonly string[]>> = {
  next: [
    ...['InsufficientInstanceCapacity', 'InsufficientHostCapacity', 'InsufficientCapacityOnHost'],
    ...['UnavailableHostRequirements', 'InsufficientReservedInstanceCapacity', 'ReservationCapacityExceeded'],
    ...['InsufficientVolumeCapacity', 'InsufficientFreeAddressesInSubnet', 'Unsupported', 'UnsupportedOperation'],
    ...['VolumeTypeNotAvailableInZone', 'UnknownVolumeType', 'InvalidAvailabilityZone', 'InvalidZone.NotFound'],
    ...['InvalidSubnetID.NotFound', 'InvalidSubnet', 'InstanceLimitExceeded', 'VcpuLimitExceeded'],
    ...['AttachmentLimitExceeded', 'IdempotentInstanceTerminated', 'InvalidKeyPair.NotFound'],
  ],
  abort: [
    ...['AddressLimitExceeded', 'NetworkInterfaceLimitExceeded', 'PrivateIpAddressLimitExceeded'],
    ...['VolumeLimitExceeded', 'MaxIOPSLimitExceeded', 'UnauthorizedOperation', 'OptInRequired', 'MissingParameter'],
    ...['ValidationError', 'TagPolicyViolation', 'InvalidBlockDeviceMapping', 'InvalidClientToken', 'ExpiredToken'],
  ],
  retry: [...['RequestLimitExceeded', 'BandwidthLimitExceeded', 'RequestExpired', 'ConcurrentTagAccess']],
  wait: [
    'InvalidAMIID.NotFound',
    'InvalidAMIID.Unavailable',
    'InvalidGroup.NotFound',
    'InvalidSecurityGroupID.NotFound',
  ],
  look: [
    ...['InternalError', 'ServiceUnavailable', 'IdempotentParameterMismatch', 'InvalidIPAddress.InUse'],
    ...['InvalidNetworkInterface.InUse', 'DependencyViolation', 'IncorrectState', 'VolumeInUse'],
  ],
};

describe.each(Object.entries(DOCUMENTED))('%s', (action, codes) => {
  test.each(codes)('%s', (code) => expect(doneFirst(code)).toBe(action));
});

test('an instance profile that EC2 does not know yet is waited for', () =>
  expect(doneFirst('InvalidParameterValue', 'Value (db) for parameter iamInstanceProfile.name is invalid')).toBe(
    'wait',
  ));

test('an address that is still in use is looked at, not given up', () =>
  expect(doneFirst('InvalidParameterValue', 'Address 10.0.0.4 is in use.')).toBe('look'));

test('no code stands in two lines', () => {
  const codes = LAUNCH_ERRORS.flatMap((row) => row.codes);
  expect(codes.filter((code, at) => codes.indexOf(code) !== at)).toEqual([]);
});
