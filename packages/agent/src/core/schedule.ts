/** When to send. Random numbers come in as values in [0, 1). */

/**
 * Wait before the next heartbeat: uniform in interval × (1 ± jitterRatio). Counted from now, so a
 * stall is not made up for with a burst.
 */
export function beatDelayMs(intervalMs: number, jitterRatio: number, random: number): number {
  return intervalMs * (1 + (2 * random - 1) * jitterRatio);
}
