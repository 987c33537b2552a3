import { backoffMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { checkLeaseTiming, defaultMarginMs, leaseTimingFaults, usableLeaseMs } from './lease-timing.ts';
import { STORE_BACKOFF } from './store-backoff.ts';

const DEFAULTS = { ttlMs: 10_000, keepaliveMs: 2000, marginMs: 1500, callTimeoutMs: 1500 };

describe('lease timing', () => {
  it('the defaults fit and leave 8.4 s', () => {
    expect(leaseTimingFaults(DEFAULTS)).toEqual([]);
    expect(usableLeaseMs(10_000, 1500)).toBe(8400);
  });

  it('a short TTL has a shorter default margin that fits', () => {
    const timing = { ttlMs: 3000, keepaliveMs: 600, marginMs: defaultMarginMs(3000), callTimeoutMs: 900 };
    expect(defaultMarginMs(10_000)).toBe(1500);
    expect(timing.marginMs).toBe(450);
    expect(leaseTimingFaults(timing)).toEqual([]);
  });

  it('refuses a margin below its floor, naming both numbers', () => {
    expect(leaseTimingFaults({ ...DEFAULTS, marginMs: 100 })).toEqual([
      expect.stringMatching(/100 is below 500.*10000/),
    ]);
    expect(leaseTimingFaults({ ttlMs: 2000, keepaliveMs: 300, marginMs: 249, callTimeoutMs: 300 })).toHaveLength(1);
    expect(leaseTimingFaults({ ttlMs: 2000, keepaliveMs: 300, marginMs: 250, callTimeoutMs: 300 })).toEqual([]);
  });

  it('refuses figures with which one lost keepalive ends the term, naming both numbers', () => {
    expect(() => checkLeaseTiming({ ...DEFAULTS, keepaliveMs: 6000 })).toThrow(/CONFIG_INVALID: .*9000.*8400/);
    expect(leaseTimingFaults({ ...DEFAULTS, keepaliveMs: 5400 })).toEqual([]);
  });

  it('refuses a TTL etcd would not grant', () => {
    expect(leaseTimingFaults({ ttlMs: 1000, keepaliveMs: 100, marginMs: 250, callTimeoutMs: 100 })).toEqual([
      expect.stringContaining('1000 is below 2000'),
    ]);
  });

  it('backs off from 50 ms to 1 s and no further', () => {
    expect(backoffMs(0, STORE_BACKOFF, 0)).toBe(25);
    expect(Math.round(backoffMs(0, STORE_BACKOFF, 0.999_999))).toBe(50);
    expect(Math.round(backoffMs(1000, STORE_BACKOFF, 0.999_999))).toBe(1000);
  });
});
