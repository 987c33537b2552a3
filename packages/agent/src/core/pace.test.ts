import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import type { Link } from './answers.ts';
import { answerWith } from './core.fixtures.ts';
import { PACE_KEPT_MS, PACE_MS_MIN, paceMs } from './pace.ts';

const NOW = monotonicMs(10_000_000);
const asking = (heartbeatIntervalMs: number | null, ackedAgoMs = 1_000): Link => ({
  coordinatorHash: 1,
  challenge: 'cc'.repeat(8),
  highestAcked: 1n,
  lastAckAtMs: monotonicMs(NOW - ackedAgoMs),
  answer: answerWith('active'),
  heartbeatIntervalMs,
});

describe('the pace of heartbeats', () => {
  it('is the configured one while nobody asks', () => {
    expect(paceMs([], 1_000, NOW)).toBe(1_000);
    expect(paceMs([asking(null)], 1_000, NOW)).toBe(1_000);
  });

  it('is the shortest that any coordinator asks for', () => {
    expect(paceMs([asking(1_000), asking(250), asking(500)], 1_000, NOW)).toBe(250);
  });

  it('is never longer than the configured one: nobody can silence an agent', () => {
    expect(paceMs([asking(60_000)], 1_000, NOW)).toBe(1_000);
  });

  it('is never shorter than 100 ms, unless that is configured', () => {
    expect(paceMs([asking(1)], 1_000, NOW)).toBe(PACE_MS_MIN);
    expect(paceMs([asking(1)], 50, NOW)).toBe(50);
  });

  it('falls back ten minutes after the last ack of who asked', () => {
    expect(paceMs([asking(250, PACE_KEPT_MS - 1)], 1_000, NOW)).toBe(250);
    expect(paceMs([asking(250, PACE_KEPT_MS)], 1_000, NOW)).toBe(1_000);
  });
});
