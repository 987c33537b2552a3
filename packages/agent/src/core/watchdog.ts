import type { MonotonicMs } from '@understudy/shared';
import type { ActivationEvent, ActivationState } from './activation.ts';

/** What is known of the workload, by what was last achieved, not by what was last wanted. */
export type WorkloadState = 'unknown' | 'serving' | 'withdrawn';

/**
 * When the workload has to be withdrawn at the latest, after one step of the activation. Null while
 * it may serve. It counts from the end of the lease where that was the reason, however late that
 * was noticed.
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
 * True when the watchdog may be kept from resetting the machine: while nothing serves, while the
 * workload that serves holds a lease, and for the time a withdrawal is given. Otherwise a workload
 * that does not stop when it must is stopped with its machine.
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
