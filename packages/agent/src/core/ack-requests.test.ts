import { monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { ACKING_INTERVALS, ackingCount, wantsAck } from './ack-requests.ts';
import type { ActivationState } from './activation.ts';
import { answerWith } from './core.fixtures.ts';
import type { Link } from './answers.ts';

const NOW = monotonicMs(100_000);
const INTERVAL_MS = 1_000;
const LEASE_MS = 20_000;
const linkOf = (ackedAgoMs: number): Link => ({
  coordinatorHash: 1,
  challenge: '00'.repeat(8),
  highestAcked: 1n,
  heartbeatIntervalMs: null,
  lastAckAtMs: monotonicMs(NOW - ackedAgoMs),
  answer: answerWith('active'),
});
const rank = { incarnation: 1, term: 1n };
const active = (leaseLeftMs: number | null): ActivationState => ({
  kind: 'active',
  rank,
  leaseUntilMs: leaseLeftMs === null ? null : NOW + leaseLeftMs,
});
const standby: ActivationState = { kind: 'standby', reason: 'test', incarnation: 1 };
const fenced: ActivationState = { kind: 'fenced', rank };

describe('a coordinator is asked for an ack', () => {
  it.each<[string, Link | undefined, ActivationState, boolean]>([
    ['that never acked', undefined, active(null), true],
    ['while we wait to be activated, however lately it acked', linkOf(0), standby, true],
    ['that acked lately, when nothing is urgent: not', linkOf(1_000), active(null), false],
    ['just before seven intervals without an ack: not', linkOf(6_999), active(null), false],
    ['after seven intervals without an ack', linkOf(7_000), active(null), true],
    ['by a fenced agent that is heard: not', linkOf(1_000), fenced, false],
    ['with more than half of the serve lease left: not', linkOf(1_000), active(10_001), false],
    ['with exactly half of it left: not', linkOf(1_000), active(10_000), false],
    ['with less than half of it left', linkOf(1_000), active(9_999), true],
    ['when the lease has run out', linkOf(1_000), active(-1), true],
  ])('%s', (_when, link, state, expected) => {
    expect(wantsAck(link, state, LEASE_MS, INTERVAL_MS, NOW)).toBe(expected);
  });
});

it('counts as acking for less than sixteen intervals after its last ack', () => {
  expect(ACKING_INTERVALS).toBe(16);
  expect(ackingCount([linkOf(0), linkOf(15_999), linkOf(16_000), linkOf(60_000)], INTERVAL_MS, NOW)).toBe(2);
  expect(ackingCount([], INTERVAL_MS, NOW)).toBe(0);
});
