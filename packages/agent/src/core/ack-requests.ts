import type { MonotonicMs } from '@understudy/shared';
import type { ActivationState } from './activation.ts';
import type { Link } from './answers.ts';

/**
 * After this many intervals without an ack a coordinator counts as not acking. It acks at most
 * every fifth heartbeat, and two may get lost.
 */
export const ACKING_INTERVALS = 16;
/** After this many intervals without an ack the coordinator is asked for one. */
const ASK_AFTER_INTERVALS = 7;

/**
 * True when this coordinator is to be asked for an ack at once: while we wait to be activated (a
 * recovery waits for us), when it is silent for longer than its usual pace, and when half of the
 * serve lease is gone.
 */
export function wantsAck(
  link: Link | undefined,
  state: ActivationState,
  serveLeaseMs: number,
  intervalMs: number,
  nowMs: MonotonicMs,
): boolean {
  if (!link || state.kind === 'standby') return true;
  if (nowMs - link.lastAckAtMs >= ASK_AFTER_INTERVALS * intervalMs) return true;
  return state.kind === 'active' && state.leaseUntilMs !== null && state.leaseUntilMs - nowMs < serveLeaseMs / 2;
}

/** How many of `coordinatorCount` have acknowledged something recently. */
export function ackingCount(links: readonly Link[], intervalMs: number, nowMs: MonotonicMs): number {
  return links.filter((link) => nowMs - link.lastAckAtMs < ACKING_INTERVALS * intervalMs).length;
}
