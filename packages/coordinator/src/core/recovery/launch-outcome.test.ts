import { type CloudInstance, type ErrorCode, OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { adviseOnLaunchError, findLaunched } from './launch-outcome.ts';

describe('adviseOnLaunchError', () => {
  const advise = (code: ErrorCode, upstreamCode?: string) =>
    adviseOnLaunchError(new OperationError(code, 'x', upstreamCode === undefined ? {} : { upstreamCode }));

  test.each<[ErrorCode, string | undefined, object]>([
    ['CLOUD_CAPACITY', 'InsufficientInstanceCapacity', { kind: 'failed', failure: 'capacity' }],
    ['CLOUD_CAPACITY', 'InsufficientFreeAddressesInSubnet', { kind: 'failed', failure: 'capacity' }],
    ['CLOUD_CAPACITY', 'VcpuLimitExceeded', { kind: 'failed', failure: 'capacity' }],
    ['CLOUD_CAPACITY', 'Unsupported', { kind: 'failed', failure: 'placement' }],
    ['CLOUD_NOT_FOUND', 'InvalidSubnetID.NotFound', { kind: 'failed', failure: 'placement' }],
    ['CLOUD_CONFLICT', 'IdempotentInstanceTerminated', { kind: 'failed', failure: 'instance' }],
    ['CLOUD_CONFLICT', 'IdempotentParameterMismatch', { kind: 'observe' }],
    ['CLOUD_CONFLICT', 'InvalidNetworkInterface.InUse', { kind: 'observe' }],
    ['CLOUD_OUTCOME_UNKNOWN', undefined, { kind: 'observe' }],
    ['CLOUD_NOT_FOUND', 'InvalidAMIID.NotFound', { kind: 'lag' }],
    ['CLOUD_NOT_FOUND', 'InvalidNetworkInterfaceID.NotFound', { kind: 'lag' }],
    ['CLOUD_THROTTLED', 'RequestLimitExceeded', { kind: 'again' }],
    ['CLOUD_DENIED', 'UnauthorizedOperation', { kind: 'refused', reason: 'CloudDenied' }],
    ['CLOUD_REJECTED', 'InvalidParameterValue', { kind: 'refused', reason: 'CloudRejected' }],
  ])('%s %s', (code, upstream, want) => expect(advise(code, upstream)).toEqual(want));
});

describe('findLaunched', () => {
  const instance = (instanceId: string, clientToken: string | null, eni?: string): CloudInstance =>
    ({
      instanceId,
      clientToken,
      networkInterfaces: eni === undefined ? [] : [{ networkInterfaceId: eni }],
    }) as unknown as CloudInstance;
  const find = (byToken: CloudInstance[], byTags: CloudInstance[], permitHolder: string | null) =>
    findLaunched({ byToken, byTags, permitHolder }, 'token', 'eni-1');

  test('nothing anywhere', () => expect(find([], [], null)).toEqual({ kind: 'none' }));
  test.each<[string, CloudInstance[], CloudInstance[], string | null]>([
    ['its token', [instance('i-1', 'token')], [], null],
    ['its permit', [], [], 'i-1'],
    ['its tags and token', [], [instance('i-1', 'token')], null],
    ['its tags and permit', [], [instance('i-1', null, 'eni-1')], null],
    ['all of them', [instance('i-1', 'token')], [instance('i-1', 'token')], 'i-1'],
  ])('found by %s', (_name, byToken, byTags, holder) =>
    expect(find(byToken, byTags, holder)).toEqual({ kind: 'launched', instanceId: 'i-1' }),
  );
  test('tags alone prove nothing: people copy them', () =>
    expect(find([], [instance('i-9', 'other', 'eni-9')], null)).toEqual({ kind: 'none' }));
  test('two of them are never chosen between', () =>
    expect(find([instance('i-1', 'token')], [], 'i-2').kind).toBe('several'));
});
