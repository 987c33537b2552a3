import { intentRecord, policyWith } from '@understudy/shared/testing';
import { type GroupPolicy, GroupPolicySchema, type HeartbeatSource } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { brokenPromise, type HearingRun, leaseFence } from './serve-lease-fence.ts';

const OVER_AFTER_MS = 83_617;
const SEEN_AT_MS = 20_000;
const policyOf = (fenceAfterMs: number): GroupPolicy =>
  GroupPolicySchema.parse({
    detect: { suspectAfterMs: 5_000 },
    recover: { serveLease: { stopWithinMs: 60_000, requireWatchdog: true, fenceAfterMs } },
  });

type Heard = Partial<ReturnType<HeartbeatSource['reading']>>;

function runAt(knownForMs: number, over: { readonly fenceAfterMs?: number; readonly heard?: Heard } = {}): HearingRun {
  const reading = (_member: string, instanceId: string) => (instanceId === 'i-1' ? (over.heard ?? null) : null);
  return {
    record: intentRecord('prod/db1', 'i-1', { serveLeaseOverAfterMs: OVER_AFTER_MS }),
    policy: policyOf(over.fenceAfterMs ?? 0),
    intentSeenAtMs: SEEN_AT_MS,
    nowMs: () => SEEN_AT_MS + knownForMs,
    parts: { heartbeats: { reading } as unknown as HeartbeatSource },
  };
}

describe('a serve lease is over', () => {
  test.each([
    ['as soon as its time has passed since we saw the intent', OVER_AFTER_MS, 0, { kind: 'over' }],
    ['not a millisecond before', OVER_AFTER_MS - 1, 0, { kind: 'running', leftMs: 1 }],
    ['after the time given to EC2, where that is longer', 90_000, 100_000, { kind: 'running', leftMs: 10_000 }],
    ['then, and no later', 100_000, 100_000, { kind: 'over' }],
  ])('%s', (_when, knownForMs, fenceAfterMs, expected) => {
    expect(leaseFence(runAt(knownForMs, { fenceAfterMs }))).toEqual(expected);
  });

  test('never where none was promised, nor once the policy does not wait for one any more', () => {
    const run = runAt(1_000_000);
    const unpromised = intentRecord('prod/db1', 'i-1', { serveLeaseOverAfterMs: null });
    expect(leaseFence({ ...run, record: unpromised })).toEqual({ kind: 'none' });
    expect(leaseFence({ ...run, policy: policyWith({ recover: { serveLease: null } }, run.policy) })).toEqual({
      kind: 'none',
    });
  });
});

describe('a promise is broken', () => {
  const heard = (agoMs: number, serving: boolean): HearingRun => {
    const run = runAt(100_000, { heard: null });
    const lastHeardAtMs = run.nowMs() - agoMs;
    return runAt(100_000, { heard: { serving, lastHeardAtMs } as Heard });
  };

  test('when the old instance says that it serves: a hold, which says what to do', () => {
    const broken = brokenPromise(heard(4_999, true));
    expect(broken).toMatchObject({ kind: 'hold', reason: 'FenceNotProven' });
    expect(broken?.text).toContain('i-1 still says that it serves');
    expect(broken?.text).toContain('Stop it by hand');
  });

  test.each([
    ['it says that it does not', heard(0, false)],
    ['it has fallen silent since, for as long as makes a suspect', heard(5_000, true)],
    ['it was never heard', runAt(100_000)],
  ])('not when %s', (_when, run) => {
    expect(brokenPromise(run)).toBeNull();
  });
});
