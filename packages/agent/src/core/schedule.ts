/** When to send and when to try again. Random numbers come in as values in [0, 1). */

/**
 * Wait before the next heartbeat: uniform in interval × (1 ± jitterRatio). Counted from now, so a
 * stall is not made up for with a burst.
 */
export function beatDelayMs(intervalMs: number, jitterRatio: number, random: number): number {
  return intervalMs * (1 + (2 * random - 1) * jitterRatio);
}

/**
 * Exponential backoff with full jitter above half: between half and all of min(maxMs, baseMs ×
 * 2^attempt). `attempt` counts from 0.
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: number): number {
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30));
  return ceilingMs * (0.5 + random / 2);
}

/** A token bucket as a value: how many replies may still be sent. */
export interface Budget {
  readonly tokens: number;
  readonly atMs: number;
}

/** Takes one token if there is one; refills at `perSecond` up to `burst`. */
export function spend(
  budget: Budget,
  limits: { readonly perSecond: number; readonly burst: number },
  nowMs: number,
): { readonly budget: Budget; readonly granted: boolean } {
  const refilled = Math.min(limits.burst, budget.tokens + ((nowMs - budget.atMs) / 1000) * limits.perSecond);
  const granted = refilled >= 1;
  return { budget: { tokens: granted ? refilled - 1 : refilled, atMs: nowMs }, granted };
}
