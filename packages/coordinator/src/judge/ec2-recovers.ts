import type { GroupPolicy, WallMs } from '@understudy/shared';
import type { CloudStatusReading } from './evidence.ts';
import { STATUS_FRESH_MS } from './status-reading.ts';

/** EC2 is at work on the host by itself, or about to be. */
export interface Ec2Recovers {
  /** What it is, in words. */
  readonly text: string;
  /** It is not waited for any longer. */
  readonly untilWallMs: WallMs;
}

/** Events by which EC2 reboots an instance or its host (EC2 user guide, scheduled events). */
const REBOOTS: ReadonlySet<string> = new Set(['instance-reboot', 'system-reboot', 'system-maintenance']);
/** EC2 begins an event about then, not on the second. */
const AROUND_MS = 300_000;

/**
 * Does EC2 recover this instance by itself? An impaired system status check sets off its automatic
 * recovery, which brings the same instance back as a reboot does; a scheduled reboot does the same.
 * It is waited for as long as the ladder of the group says, counted from the failure: EC2 tells
 * neither when it begins nor that it has given up. Null: it does not, or the time is over. Pure.
 */
export function ec2Recovers(
  reading: CloudStatusReading | null,
  { recover: { ladder } }: GroupPolicy,
  failedSinceWallMs: number | null,
  { nowMs, wallNowMs }: { readonly nowMs: number; readonly wallNowMs: WallMs },
): Ec2Recovers | null {
  if (ladder === undefined || ladder.waitForEc2Ms === 0 || reading === null) return null;
  if (nowMs - reading.readAtMs > STATUS_FRESH_MS) return null;
  const untilWallMs = ((failedSinceWallMs ?? wallNowMs) + ladder.waitForEc2Ms) as WallMs;
  const text = textOf(reading, wallNowMs);
  return text === null || untilWallMs <= wallNowMs ? null : { text, untilWallMs };
}

function textOf({ status }: CloudStatusReading, wallNowMs: WallMs): string | null {
  const due = status.events.find(
    ({ code, description, notBeforeWallMs }) =>
      REBOOTS.has(code) &&
      !/^\[(?:Completed|Canceled)\]/i.test(description) &&
      notBeforeWallMs !== null &&
      Math.abs(wallNowMs - notBeforeWallMs) <= AROUND_MS,
  );
  if (due) return `EC2 has scheduled ${due.code} for now`;
  return status.system === 'impaired' ? 'its system status check is impaired: EC2 recovers such hosts by itself' : null;
}
