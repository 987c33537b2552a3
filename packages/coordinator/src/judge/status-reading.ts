import type { CloudInstanceStatus, MonotonicMs } from '@understudy/shared';
import type { CloudStatusReading } from './evidence.ts';

/**
 * Status checks are made every minute and shown with some delay. An answer older than two of them
 * says nothing about now.
 */
export const STATUS_FRESH_MS = 120_000;

/**
 * EC2's newest answer, following the last one. How long attached EBS has been impaired counts from
 * the first answer in an unbroken row of such answers, on our own clock. Any other word in between
 * starts the count anew, and so does a gap as long as an answer is fresh, or a change of leader.
 * Pure.
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
