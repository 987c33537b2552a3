import type { MonotonicMs } from '@understudy/shared';
import type { ActivationEvent, ActivationState } from './activation.ts';

/** What is known of the workload: by what was last achieved, not by what was last wanted. */
export type WorkloadState = 'unknown' | 'serving' | 'withdrawn';

/**
 * By when the workload has to be withdrawn after one step of the activation, or null while it may
 * serve. Counted from the end of the lease where that was the reason, however late it was noticed.
 */
export function withdrawDeadline(
  before: ActivationState,
  event: ActivationEvent['kind'],
  after: ActivationState,
  pending: number | null,
  limits: { readonly withdrawMs: number; readonly nowMs: MonotonicMs },
): number | null {
  if (after.kind === 'active') return null;
  if (before.kind !== 'active') return pending;
  const endedAtMs = event === 'leaseExpired' ? (before.leaseUntilMs ?? limits.nowMs) : limits.nowMs;
  return endedAtMs + limits.withdrawMs;
}

/**
 * May the watchdog be kept from resetting the machine? While nothing serves; while what serves
 * holds a lease; and for the time a withdrawal is given. Not otherwise: a workload that does not
 * stop when it must is stopped with its machine.
 */
export function mayPet(
  seen: {
    readonly activation: ActivationState;
    readonly workload: WorkloadState;
    readonly withdrawByMs: number | null;
  },
  nowMs: MonotonicMs,
): boolean {
  const { activation, workload, withdrawByMs } = seen;
  if (activation.kind === 'active') return activation.leaseUntilMs === null || nowMs < activation.leaseUntilMs;
  if (workload === 'withdrawn') return true;
  return withdrawByMs !== null && nowMs < withdrawByMs;
}
