import type { HistoryRecord, RecoveryPlan } from '@understudy/shared';

/**
 * The plan, with what earlier recoveries of this instance may still do to it: a call that was sent
 * and whose outcome nobody knows may land at any later time (A5).
 */
export function withLateCalls<P extends RecoveryPlan>(
  plan: P,
  history: Iterable<HistoryRecord>,
  instanceId: string,
): P {
  const mayStart = [...history].some(
    ({ oldInstanceId, newInstanceId, lateCalls = [] }) =>
      (newInstanceId ?? oldInstanceId) === instanceId && lateCalls.includes('start'),
  );
  return mayStart ? { ...plan, startMayLand: true } : plan;
}
