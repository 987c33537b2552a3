import type { CloudInstanceStatus, MonotonicMs } from '@understudy/shared';
import type { CloudStatusReading } from './evidence.ts';

/**
 * Status checks are made every minute and shown with some delay; an answer older than two of them
 * says nothing about now.
 */
export const STATUS_FRESH_MS = 120_000;

/**
 * EC2's newest answer after the last one. How long attached EBS has been impaired is counted from
 * the first answer in an unbroken row of such answers, on our own clock: any other word in between,
 * or none for as long as an answer is fresh, begins it anew; so does a change of leader. Pure.
 */
export function nextStatusReading(
  before: CloudStatusReading | null,
  status: CloudInstanceStatus,
  readAtMs: MonotonicMs,
): CloudStatusReading {
  if (status.attachedEbs !== 'impaired') return { readAtMs, status, ebsImpairedSinceMs: null };
  const unbroken = before !== null && readAtMs - before.readAtMs <= STATUS_FRESH_MS;
  return { readAtMs, status, ebsImpairedSinceMs: (unbroken ? before.ebsImpairedSinceMs : null) ?? readAtMs };
}
