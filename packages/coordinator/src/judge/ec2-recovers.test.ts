import { type CloudInstanceStatus, DEFAULT_LADDER, monotonicMs, type WallMs } from '@understudy/shared';
import { policyWith } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { ec2Recovers } from './ec2-recovers.ts';

const MINUTE = 60_000;
const at = { nowMs: 10 * MINUTE, wallNowMs: (100 * MINUTE) as WallMs };
const ok: CloudInstanceStatus = {
  instanceId: 'i-1',
  state: 'running',
  system: 'ok',
  instance: 'ok',
  attachedEbs: 'ok',
  events: [],
};
const event = (code: string, atWallMs: number | null, description = '') => ({
  ...{ code, description, notBeforeWallMs: atWallMs },
});
const reading = (over: Partial<CloudInstanceStatus>, readAtMs = at.nowMs) => ({
  ...{ readAtMs: monotonicMs(readAtMs), status: { ...ok, ...over } as CloudInstanceStatus, ebsImpairedSinceMs: null },
});
const LADDER = policyWith({ recover: { ladder: { ...DEFAULT_LADDER, waitForEc2Ms: 2 * MINUTE } } });
const failedSince = at.wallNowMs - MINUTE;

describe('what EC2 does by itself is waited for', () => {
  test.each([
    ['its host fails', { system: 'impaired' as const }],
    ['a reboot was scheduled for now', { events: [event('system-reboot', at.wallNowMs - MINUTE)] }],
  ])('%s: until the time of the ladder is over, counted from the failure', (_, over) => {
    expect(ec2Recovers(reading(over), LADDER, failedSince, at)).toMatchObject({
      untilWallMs: failedSince + 2 * MINUTE,
    });
    expect(ec2Recovers(reading(over), LADDER, at.wallNowMs - 2 * MINUTE, at)).toBe(null);
  });

  test.each([
    ['all is well', {}, at.nowMs],
    ['only its own system fails', { instance: 'impaired' as const }, at.nowMs],
    ['the answer is old', { system: 'impaired' as const }, at.nowMs - 3 * MINUTE],
    ['the reboot is for another day', { events: [event('system-reboot', at.wallNowMs + 60 * MINUTE)] }, at.nowMs],
    ['the reboot is over', { events: [event('system-reboot', at.wallNowMs, '[Completed] x')] }, at.nowMs],
    ['it is to be stopped', { events: [event('instance-stop', at.wallNowMs)] }, at.nowMs],
    ['no date is given', { events: [event('system-reboot', null)] }, at.nowMs],
  ])('not where %s', (_, over, readAtMs) => {
    expect(ec2Recovers(reading(over, readAtMs), LADDER, failedSince, at)).toBe(null);
  });

  test('not where the group has no ladder, or waits for nothing', () => {
    const impaired = reading({ system: 'impaired' });
    expect(ec2Recovers(impaired, policyWith({}), failedSince, at)).toBe(null);
    expect(
      ec2Recovers(
        impaired,
        policyWith({ recover: { ladder: { ...DEFAULT_LADDER, waitForEc2Ms: 0 } } }),
        failedSince,
        at,
      ),
    ).toBe(null);
    expect(ec2Recovers(null, LADDER, failedSince, at)).toBe(null);
  });
});
