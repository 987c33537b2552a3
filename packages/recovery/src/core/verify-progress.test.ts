import type { CloudInstance, CloudInstanceStatus } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { countImpaired, type ReplacementSeen, verifyProgress } from './verify-progress.ts';

const POLICY = {
  detect: { suspectAfterMs: 5_000 },
  recover: { settleMs: 3_000, launchTimeoutMs: 300_000, requireStatusChecks: false },
};
const instance = (state: string): CloudInstance =>
  ({ instanceId: 'i-new', state, stateReasonText: null, stateReasonCode: 'Client.InternalError' }) as never;
const status = (part: Partial<CloudInstanceStatus> = {}): CloudInstanceStatus => ({
  instanceId: 'i-new',
  state: 'running',
  system: 'ok',
  instance: 'ok',
  attachedEbs: 'not-applicable',
  events: [],
  ...part,
});
const seen = (part: Partial<ReplacementSeen>): ReplacementSeen => ({
  instance: instance('running'),
  status: null,
  impairedReads: 0,
  promiseFault: null,
  heartbeat: { lastHeardAtMs: 99_500, passingSinceMs: 96_000 },
  nowMs: 100_000,
  waitedMs: 10_000,
  ...part,
});

describe('verifyProgress', () => {
  test.each<[string, Partial<ReplacementSeen>, string]>([
    ['passes once it has settled', {}, 'passed'],
    ['not shown yet: waits', { instance: null }, 'wait'],
    ['pending: waits', { instance: instance('pending') }, 'wait'],
    ['pending beyond the launch timeout: fails', { instance: instance('pending'), waitedMs: 300_001 }, 'failed'],
    ['terminated: fails', { instance: instance('terminated') }, 'failed'],
    ['stopped by somebody: fails', { instance: instance('stopped') }, 'failed'],
    ['never heard: waits', { heartbeat: null }, 'wait'],
    ['fell silent: waits', { heartbeat: { lastHeardAtMs: 94_000, passingSinceMs: 80_000 } }, 'wait'],
    ['a check fails: waits', { heartbeat: { lastHeardAtMs: 99_900, passingSinceMs: null } }, 'wait'],
    ['impaired once: not condemned', { impairedReads: 1 }, 'passed'],
    ['impaired twice: fails', { impairedReads: 2 }, 'failed'],
  ])('%s', (_name, part, want) => expect(verifyProgress(seen(part), POLICY).kind).toBe(want));

  test.each<[string, Partial<CloudInstance>, string]>([
    ['its words', { stateReasonText: 'Volume limit exceeded' }, 'Volume limit exceeded'],
    ['its code, where it has no words', {}, 'Client.InternalError'],
    ['nothing', { stateReasonCode: null }, 'no reason given'],
  ])('a replacement that died is told with what EC2 says of it: %s', (_name, part, why) =>
    expect(verifyProgress(seen({ instance: { ...instance('terminated'), ...part } }), POLICY)).toEqual({
      kind: 'failed',
      text: `the replacement i-new is terminated: ${why}`,
    }),
  );

  test('says exactly when it will have settled', () => {
    const heartbeat = { lastHeardAtMs: 99_900, passingSinceMs: 98_800 };
    expect(verifyProgress(seen({ heartbeat }), POLICY)).toMatchObject({ kind: 'wait', againInMs: 1_800 });
  });

  test('waits for status checks only where the policy says so', () => {
    const policy = { ...POLICY, recover: { ...POLICY.recover, requireStatusChecks: true } };
    expect(verifyProgress(seen({}), policy).kind).toBe('wait');
    expect(verifyProgress(seen({ status: status({ instance: 'initializing' }) }), policy).kind).toBe('wait');
    expect(verifyProgress(seen({ status: status() }), policy).kind).toBe('passed');
  });
});

test('impaired reads count only in a row', () => {
  const impaired = status({ system: 'impaired' });
  expect(countImpaired(countImpaired(0, impaired), impaired)).toBe(2);
  expect(countImpaired(1, status())).toBe(0);
  expect(countImpaired(1, null)).toBe(0);
});
