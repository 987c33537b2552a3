import { OperationError } from '@understudy/shared';

/** How a lease is kept, in ms. Checked by {@link leaseTimingFaults} before anything starts. */
export interface LeaseTiming {
  /**
   * TTL asked of etcd; the granted value counts. A longer TTL delays the take-over after a crash. A
   * shorter one causes more false hand-overs.
   */
  readonly ttlMs: number;
  /** Time from one keepalive to the next. */
  readonly keepaliveMs: number;
  /**
   * How much earlier than etcd we stop believing. Covers what is on its way when the lease ends.
   */
  readonly marginMs: number;
  /** Deadline of one etcd call, as configured for the store. */
  readonly callTimeoutMs: number;
}

/** Two monotonic clocks may differ by this much (1 %). */
const DRIFT_RATIO = 0.99;
const MARGIN_FLOOR_MS = 250;
const MARGIN_FLOOR_RATIO = 0.05;

/** How long after sending a keepalive we may believe in the lease. */
export const usableLeaseMs = (ttlMs: number, marginMs: number): number => ttlMs * DRIFT_RATIO - marginMs;

/** 1 500 ms, or less where the TTL is shorter than 10 s. */
export const defaultMarginMs = (ttlMs: number): number => Math.min(1500, Math.max(MARGIN_FLOOR_MS, ttlMs * 0.15));

const marginFloorMs = (ttlMs: number): number => Math.max(MARGIN_FLOOR_MS, ttlMs * MARGIN_FLOOR_RATIO);

/**
 * What is wrong with the figures, each fault with both numbers. Empty: nothing. For a config
 * schema's cross-field rule.
 */
export function leaseTimingFaults(timing: LeaseTiming): readonly string[] {
  const { ttlMs, keepaliveMs, marginMs, callTimeoutMs } = timing;
  const faults: string[] = [];
  if (ttlMs < 2000)
    faults.push(`leaseTtlMs ${ttlMs} is below 2000, the least etcd grants with its default election timeout`);
  if (marginMs < marginFloorMs(ttlMs))
    faults.push(`leaseMarginMs ${marginMs} is below ${marginFloorMs(ttlMs)} = max(250, 5 % of leaseTtlMs ${ttlMs})`);
  const neededMs = keepaliveMs + 2 * callTimeoutMs;
  const usableMs = usableLeaseMs(ttlMs, marginMs);
  if (neededMs > usableMs)
    faults.push(
      `keepaliveMs + 2 * callTimeoutMs = ${neededMs} does not fit into leaseTtlMs * 0.99 - leaseMarginMs = ${usableMs}: one lost keepalive would end the term`,
    );
  return faults;
}

/** @throws CONFIG_INVALID with every fault. */
export function checkLeaseTiming(timing: LeaseTiming): void {
  const faults = leaseTimingFaults(timing);
  if (faults.length > 0) throw new OperationError('CONFIG_INVALID', faults.join('; '));
}
