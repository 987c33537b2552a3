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
    ['CLOUD_REJECTED', 'InvalidParameterCombination', { kind: 'failed', failure: 'placement' }],
    ['CLOUD_REJECTED', 'AttachmentLimitExceeded', { kind: 'failed', failure: 'placement' }],
    ['CLOUD_REJECTED', 'SomethingNewIsNotAllowed', { kind: 'failed', failure: 'placement' }],
    ['CLOUD_CONFLICT', 'IdempotentInstanceTerminated', { kind: 'failed', failure: 'instance' }],
    ['CLOUD_CONFLICT', 'IdempotentParameterMismatch', { kind: 'observe' }],
    ['CLOUD_CONFLICT', 'InvalidNetworkInterface.InUse', { kind: 'observe' }],
    ['CLOUD_CONFLICT', 'InvalidParameterValue', { kind: 'observe' }],
    ['CLOUD_OUTCOME_UNKNOWN', undefined, { kind: 'observe' }],
    ['CLOUD_OUTCOME_UNKNOWN', 'InternalError', { kind: 'observe' }],
    ['CLOUD_NOT_FOUND', 'InvalidAMIID.NotFound', { kind: 'lag' }],
    ['CLOUD_NOT_FOUND', 'InvalidNetworkInterfaceID.NotFound', { kind: 'lag' }],
    ['CLOUD_THROTTLED', 'RequestLimitExceeded', { kind: 'again' }],
    ['CLOUD_DENIED', 'UnauthorizedOperation', { kind: 'refused', reason: 'CloudDenied' }],
    ['CLOUD_NOT_FOUND', 'InvalidKeyPair.NotFound', { kind: 'failed', failure: 'unknown' }],
    ['CLOUD_REJECTED', 'NetworkInterfaceLimitExceeded', { kind: 'refused', reason: 'CloudRejected' }],
  ])('%s %s', (code, upstream, want) => expect(advise(code, upstream)).toEqual(want));
});

describe('findLaunched', () => {
  const instance = (instanceId: string, clientToken: string | null, eni?: string): CloudInstance =>
    ({
      instanceId,
      clientToken,
      networkInterfaces: eni === undefined ? [] : [{ networkInterfaceId: eni }],
    }) as unknown as CloudInstance;
  type Listed = CloudInstance[] | null;
  const find = (byToken: Listed, byTags: Listed, permitHolders: string[] | null) =>
    findLaunched({ byToken, byTags, permitHolders }, 'token', 'eni-1');

  test('nothing anywhere, and everything read: it did not launch', () =>
    expect(find([], [], [])).toEqual({ kind: 'none' }));
  test.each<[string, Listed, Listed, string[] | null]>([
    ['its token', null, [], []],
    ['its tags', [], null, []],
    ['its permit', [], [], null],
    ['anything', null, null, null],
  ])('nothing, but not read by %s: no absence is concluded', (_name, byToken, byTags, holders) =>
    expect(find(byToken, byTags, holders)).toEqual({ kind: 'unread' }),
  );
  test.each<[string, Listed, Listed, string[] | null]>([
    ['its token', [instance('i-1', 'token')], [], []],
    ['its permit', [], [], ['i-1']],
    ['its tags and token', [], [instance('i-1', 'token')], []],
    ['its tags and permit', [], [instance('i-1', null, 'eni-1')], []],
    ['all of them', [instance('i-1', 'token')], [instance('i-1', 'token')], ['i-1']],
    ['its token, the others unread', [instance('i-1', 'token')], null, null],
    ['its permit, the others unread', null, null, ['i-1']],
    ['its tags and permit, the others unread', null, [instance('i-1', null, 'eni-1')], null],
  ])('found by %s', (_name, byToken, byTags, holders) =>
    expect(find(byToken, byTags, holders)).toEqual({ kind: 'launched', instanceId: 'i-1' }),
  );
  test('tags alone prove nothing: people copy them', () =>
    expect(find([], [instance('i-9', 'other', 'eni-9')], [])).toEqual({ kind: 'none' }));
  test('two of them are never chosen between', () => {
    expect(find([instance('i-1', 'token')], [], ['i-2']).kind).toBe('several');
    expect(find([instance('i-1', 'token')], null, ['i-2']).kind).toBe('several');
  });
});
