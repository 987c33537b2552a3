import type { MonotonicMs } from '@understudy/shared';
import type { Link } from './answers.ts';

/** What a coordinator asked for is followed for this long after its last ack. */
export const PACE_KEPT_MS = 600_000;
/** No coordinator can make an agent speak more often than that. */
export const PACE_MS_MIN = 100;

/**
 * Time between two heartbeats: the shortest that a coordinator asks for, and never longer than the
 * agent's own configuration says. So a group can be made to speak more often from afar, and nobody
 * can silence an agent.
 */
export function paceMs(links: readonly Link[], configuredMs: number, nowMs: MonotonicMs): number {
  const asked = links.flatMap(({ heartbeatIntervalMs, lastAckAtMs }) =>
    heartbeatIntervalMs !== null && nowMs - lastAckAtMs < PACE_KEPT_MS ? [heartbeatIntervalMs] : [],
  );
  return Math.min(configuredMs, Math.max(PACE_MS_MIN, Math.min(configuredMs, ...asked)));
}
