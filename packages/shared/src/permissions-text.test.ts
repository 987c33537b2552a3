import { describe, expect, it } from 'vitest';
import type { CallWord } from './api/plan.ts';
import { isAllAllowed, permissionCounts, permissionsText } from './permissions-text.ts';

const call = (action: string, word: CallWord['word']) => ({ action, permission: { word } });

describe('the words of EC2 on the calls of a plan', () => {
  const counts = permissionCounts([
    ...[call('StopInstances', 'allowed'), call('CreateTags', 'allowed'), call('AttachVolume', 'refused')],
    ...[call('RunInstances', 'denied'), call('RunInstances', 'denied'), call('DetachVolume', 'not-asked')],
    ...[call('TerminateInstances', 'cannot-be-asked'), call('CreateTags', 'cannot-be-asked')],
    call('CreateTags', 'cannot-be-asked'),
  ]);

  it('are counted, each with its names, and none is left out', () =>
    expect(permissionsText(counts)).toBe(
      '2 allowed, 1 denied: RunInstances; 1 refused as they are (not denied): AttachVolume; 1 not asked yet; ' +
        '3 cannot be asked beforehand: CreateTags ×2, TerminateInstances',
    ));

  it('are all yes only where every call is allowed', () => {
    expect(isAllAllowed(counts)).toBe(false);
    for (const word of ['denied', 'refused', 'not-asked', 'cannot-be-asked'] as const)
      expect(isAllAllowed(permissionCounts([call('A', 'allowed'), call('B', word)])), word).toBe(false);
    expect(isAllAllowed(permissionCounts([call('A', 'allowed')]))).toBe(true);
  });
});
