import { monotonicMs } from '@understudy/shared';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answersHoldMsOf,
  contractDue,
  leaseOverAfterMs,
  leaseStanding,
  promiseFault,
  sameTerms,
  type ServeTerms,
} from './serve-lease.ts';

const CONTRACT: ServeTerms = { stopWithinMs: 60_000, requireWatchdog: true, answersHoldMs: 20_000 };
const KEPT = { stopWithinSeconds: 60, watchdog: true };

describe('how long a lease is waited out', () => {
  it('20 s of answers and 60 s to stop: 83.7 s, drift and margin included', () => {
    expect(leaseOverAfterMs(CONTRACT)).toBe(83_617);
  });

  it('is longer than any serving, whatever the drift of three clocks within 1 %, the age of the view and the way of the answer', () => {
    const drift = fc.double({ min: -0.01, max: 0.01, noNaN: true });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const worlds = fc.record({
      coordinator: drift,
      agent: drift,
      leader: drift,
      viewBeforeIntent: share,
      answerAge: share,
      askedBefore: share,
      leaseMs: fc.integer({ min: 500, max: 600_000 }),
    });
    const seen = exercised();
    fc.assert(
      fc.property(worlds, (w) => {
        const { answersHoldMs: F, stopWithinMs: S } = CONTRACT;
        // Times are real times, and the intent is committed at 0. The view was proven before that;
        // the answer is given while it still holds by the coordinator's clock.
        const viewAtMs = -w.viewBeforeIntent * F;
        const answeredAtMs = viewAtMs + (w.answerAge * F) / (1 + w.coordinator);
        const holdsForMs = F - (answeredAtMs - viewAtMs) * (1 + w.coordinator);
        const askedAtMs = answeredAtMs - w.askedBefore * 10_000;
        const leaseEndsAtMs = askedAtMs + Math.min(w.leaseMs, holdsForMs) / (1 + w.agent);
        const stoppedAtMs = leaseEndsAtMs + S / (1 + w.agent);
        const waitedUntilMs = leaseOverAfterMs(CONTRACT) / (1 + w.leader);
        expect(stoppedAtMs).toBeLessThan(waitedUntilMs);
        seen.note(w.leaseMs < holdsForMs ? 'ends by its own length' : 'ends with the answer');
        seen.note('serves after the intent', leaseEndsAtMs > 0 ? 1 : 0);
        seen.note('stops within 5 s of the wait', waitedUntilMs - stoppedAtMs < 5_000 ? 1 : 0);
      }),
      { numRuns: 2_000 },
    );
    const least = { 'ends by its own length': 50, 'ends with the answer': 1_000, 'serves after the intent': 400 };
    // Near the bound, where a wrong bound would show.
    seen.atLeast({ ...least, 'stops within 5 s of the wait': 20 });
  });
});

describe('a promise', () => {
  it.each([
    ['kept', KEPT, null],
    ['of a shorter time', { ...KEPT, stopWithinSeconds: 1 }, null],
    ['not made', null, 'its agent keeps no serve lease (serve.leaseMs)'],
    [
      'of a longer time',
      { ...KEPT, stopWithinSeconds: 61 },
      'its agent stops within 1 min 1 s, the policy asks for 1 min 0 s',
    ],
    ['without the watchdog that is asked for', { ...KEPT, watchdog: false }, 'its agent has no armed watchdog'],
  ])('%s', (_what, promise, fault) => {
    expect(promiseFault(CONTRACT, promise)).toBe(fault);
  });

  it('without a watchdog is enough where none is asked for', () => {
    expect(promiseFault({ ...CONTRACT, requireWatchdog: false }, { ...KEPT, watchdog: false })).toBeNull();
  });
});

describe('the contract of a member', () => {
  const policy = { stopWithinMs: 60_000, requireWatchdog: true, fenceAfterMs: 0 };

  it('is agreed once its agent was heard to fulfil it, not before', () => {
    expect(contractDue(policy, null, null, 20_000)).toBeNull();
    expect(contractDue(policy, null, KEPT, 20_000)).toEqual(CONTRACT);
  });

  it('stays while the agent is silent or says less: a running contract is not dropped behind its back', () => {
    expect(contractDue(policy, CONTRACT, null, 20_000)).toBe(CONTRACT);
    expect(contractDue({ ...policy, stopWithinMs: 1_000 }, CONTRACT, KEPT, 20_000)).toBe(CONTRACT);
  });

  it('goes with the policy', () => {
    expect(contractDue(null, CONTRACT, KEPT, 20_000)).toBeNull();
  });

  it('is not made while it is not known how long answers hold, nor changed', () => {
    expect(contractDue(policy, null, KEPT, null)).toBeNull();
    expect(contractDue(policy, CONTRACT, KEPT, null)).toBe(CONTRACT);
  });

  it('takes the longest answer of all coordinators', () => {
    expect(answersHoldMsOf([{ answersHoldMs: 20_000 }, { answersHoldMs: 40_000 }])).toBe(40_000);
    expect(answersHoldMsOf([])).toBeNull();
  });
});

describe('a contract is written again only when its terms change', () => {
  it.each([
    ['nothing is agreed, nor was', null, null, true],
    ['the very same', CONTRACT, CONTRACT, true],
    ['the same terms, read anew', CONTRACT, { ...CONTRACT }, true],
    ['a first contract', CONTRACT, null, false],
    ['one that is taken back', null, CONTRACT, false],
    ['another time to stop', { ...CONTRACT, stopWithinMs: 61_000 }, CONTRACT, false],
    ['a watchdog that is asked for or not', { ...CONTRACT, requireWatchdog: false }, CONTRACT, false],
    ['answers that hold for longer', { ...CONTRACT, answersHoldMs: 20_001 }, CONTRACT, false],
  ])('%s', (_what, due, present, same) => {
    expect(sameTerms(due, present)).toBe(same);
  });
});

describe('a lease counts', () => {
  const seen = { contract: { ...CONTRACT, id: 'a' }, sinceMs: monotonicMs(100_000) };
  const heard = (lastHeardAtMs: number, servePromise: typeof KEPT | null = KEPT) => ({
    lastHeardAtMs: monotonicMs(lastHeardAtMs),
    servePromise,
  });
  const own = { stallEndedAtMs: Number.NEGATIVE_INFINITY, answersHoldMs: 20_000 };
  const kind = (...args: Parameters<typeof leaseStanding>) => leaseStanding(...args).kind;

  it('from 25.4 s after it was agreed on: every answer from before has run out', () => {
    expect(kind(seen, heard(125_399), own)).toBe('not');
    expect(leaseStanding(seen, heard(125_400), own)).toEqual({ kind: 'counts', overAfterMs: 83_617 });
  });

  it('not by what waited in our own socket while we were paused', () => {
    expect(kind(seen, heard(200_000), { ...own, stallEndedAtMs: 199_000 })).toBe('not');
    expect(kind(seen, heard(230_000), { ...own, stallEndedAtMs: 199_000 })).toBe('counts');
  });

  it.each([
    ['without a contract', null, heard(200_000), own],
    ['for an instance we never heard', seen, null, own],
    ['when its last heartbeat promised nothing', seen, heard(200_000, null), own],
    ['while it is not known how long answers hold', seen, heard(200_000), { ...own, answersHoldMs: null }],
    ['while a coordinator answers for longer than was agreed', seen, heard(200_000), { ...own, answersHoldMs: 20_001 }],
  ])('not %s', (_when, contract, reading, us) => {
    expect(kind(contract, reading, us)).toBe('not');
  });
});
