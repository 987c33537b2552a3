import { maintenanceWindowText, nextWindowWallMs, openWindow } from '@understudy/shared';
import { type GateResult, type GuardInput, gate } from './guard-input.ts';

/**
 * The gate is asked again right before the intent is written, so that a window which opened after
 * the verdict holds too. A recovery that was begun is not asked.
 */
export function windowGate({
  policy: {
    guard: { maintenanceWindows },
  },
  wallNowMs,
}: GuardInput): GateResult {
  const limit = 'outside of maintenance windows';
  const open = openWindow(maintenanceWindows, wallNowMs);
  if (open) {
    const value = `in the maintenance window ${maintenanceWindowText(open.window)}`;
    return gate('MaintenanceWindow', false, { value, limit }, open.untilWallMs);
  }
  const next = nextWindowWallMs(maintenanceWindows, wallNowMs);
  const value = next === null ? 'no window planned' : `outside; the next begins at ${new Date(next).toISOString()}`;
  return gate('MaintenanceWindow', true, { value, limit });
}
