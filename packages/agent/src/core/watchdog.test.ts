import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import type { ActivationState } from './activation.ts';
import { mayPet, withdrawDeadline } from './watchdog.ts';

const NOW = monotonicMs(100_000);
const rank = { incarnation: 1, term: 1n };
const active = (leaseUntilMs: number | null): ActivationState => ({ kind: 'active', rank, leaseUntilMs });
const standby: ActivationState = { kind: 'standby', reason: 'test', incarnation: 1 };
const fenced: ActivationState = { kind: 'fenced', rank };
const limits = { withdrawMs: 30_000, nowMs: NOW };

describe('the time a withdrawal is given', () => {
  it('runs from the end of the lease, however late that was noticed', () => {
    expect(withdrawDeadline(active(60_000), 'leaseExpired', standby, null, limits)).toBe(90_000);
  });

  it('runs from now when something else ends the serving', () => {
    expect(withdrawDeadline(active(200_000), 'fenced', fenced, null, limits)).toBe(130_000);
  });

  it('is not prolonged by what happens after it began', () => {
    expect(withdrawDeadline(standby, 'fenced', fenced, 90_000, limits)).toBe(90_000);
  });

  it('is over when the instance may serve again', () => {
    expect(withdrawDeadline(standby, 'active', active(200_000), 90_000, limits)).toBeNull();
  });
});

describe('the watchdog is petted', () => {
  const seen = (
    activation: ActivationState,
    workload: 'unknown' | 'serving' | 'withdrawn',
    withdrawByMs: number | null = null,
  ) => mayPet({ activation, workload, withdrawByMs }, NOW);

  it('while a lease holds, and not from the moment it ends', () => {
    expect(seen(active(NOW + 1), 'serving')).toBe(true);
    expect(seen(active(NOW), 'serving')).toBe(false);
  });

  it('while nothing serves', () => {
    expect(seen(standby, 'withdrawn')).toBe(true);
    expect(seen(fenced, 'withdrawn', NOW - 1)).toBe(true);
  });

  it('for as long as a withdrawal is given, and not longer', () => {
    for (const workload of ['serving', 'unknown'] as const) {
      expect(seen(standby, workload, NOW + 1)).toBe(true);
      expect(seen(standby, workload, NOW)).toBe(false);
    }
  });

  it('not while it is unknown whether a predecessor left something serving', () => {
    expect(seen(standby, 'unknown')).toBe(false);
  });
});
