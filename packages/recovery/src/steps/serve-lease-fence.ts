import type { HoldReason } from '@understudy/shared';
import type { Run, RunParts } from '../run.ts';

/** What of a run says how far its lease is. */
export type LeaseRun = Pick<Run, 'record' | 'policy' | 'intentSeenAtMs' | 'nowMs'>;
/** And what the old instance says meanwhile. */
export type HearingRun = LeaseRun & { readonly parts: Pick<RunParts, 'heartbeats'> };

/** Is the old instance known to have stopped serving because its lease has run out? */
export type LeaseFence =
  /** It made no promise that counts. */
  { readonly kind: 'none' } | { readonly kind: 'running'; readonly leftMs: number } | { readonly kind: 'over' };

/**
 * Counted on our own monotonic clock from the moment this process knew that the intent was
 * committed, so neither a change of leader nor a wall clock can shorten it; a new leader may count
 * anew. EC2 gets `fenceAfterMs` in any case: what is observed is worth more than what was promised.
 */
export function leaseFence(run: LeaseRun): LeaseFence {
  const { serveLeaseOverAfterMs } = run.record;
  const {
    recover: { serveLease },
  } = run.policy;
  if (serveLeaseOverAfterMs === null || serveLease === null) return { kind: 'none' };
  const knownForMs = run.nowMs() - run.intentSeenAtMs;
  const leftMs = Math.max(serveLeaseOverAfterMs, serveLease.fenceAfterMs) - knownForMs;
  return leftMs > 0 ? { kind: 'running', leftMs } : { kind: 'over' };
}

/**
 * A promise that is broken before our eyes counts for nothing: the instance says, authenticated,
 * that it serves, long after its lease must have ended. null: it does not.
 */
export function brokenPromise(
  run: HearingRun,
): { readonly kind: 'hold'; readonly reason: HoldReason; readonly text: string } | null {
  const { member, oldInstanceId } = run.record;
  const reading = run.parts.heartbeats.reading(member, oldInstanceId);
  if (!reading?.serving || run.nowMs() - reading.lastHeardAtMs >= run.policy.detect.suspectAfterMs) return null;
  return {
    kind: 'hold',
    reason: 'FenceNotProven',
    text: `${oldInstanceId} still says that it serves, although its serve lease has ended: its agent does not keep what it promised. Stop it by hand`,
  };
}
