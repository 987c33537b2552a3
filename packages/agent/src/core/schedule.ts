/** When to send. Random numbers come in as values in [0, 1). */

/**
 * Wait before the next heartbeat: uniform in interval × (1 ± jitterRatio). It counts from now, so a
 * burst never makes up for a stall.
 */
export function beatDelayMs(intervalMs: number, jitterRatio: number, random: number): number {
  return intervalMs * (1 + (2 * random - 1) * jitterRatio);
}
