import { describe, expect, test } from 'vitest';
import type { Fault } from './faults/fault.ts';
import { generateFaults } from './faults/generate.ts';
import { failureOf } from './report.ts';
import { FAULTS_LAST_MS, type RunResult, simulate } from './simulation.ts';

const MEMBERS = 6;
const SEEDS = Array.from({ length: Number(process.env['UNDERSTUDY_LEASE_SEEDS'] ?? 4) }, (_, index) => index + 1);

/**
 * EC2 refuses every Stop, and m1 and m2 are cut off from everybody: nothing but their leases can be
 * waited for.
 */
const UNSTOPPABLE: readonly Fault[] = [
  { id: 'refused', kind: 'api-error', when: { atMs: 0 }, forMs: FAULTS_LAST_MS, action: 'StopInstances', times: 1_000 },
  { id: 'cut-1', kind: 'machine-cut-off', when: { atMs: 45_000 }, forMs: 600_000, member: 'm1' },
  { id: 'cut-2', kind: 'machine-cut-off', when: { atMs: 160_000 }, forMs: 500_000, member: 'm2' },
];

const inLeaseWorld = (seed: number, faults: readonly Fault[]): Promise<RunResult> =>
  simulate({ seed, days: 0.01, members: MEMBERS, coordinators: 3, serveLease: true, faults: [faults] });

const expectSound = (result: RunResult) =>
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);

describe('members with serve leases that nobody can stop', () => {
  test('are replaced once their leases are over, one after the other, and never two serve', async () => {
    const result = await inLeaseWorld(1, UNSTOPPABLE);
    expectSound(result);
    expect(result.tally.leaseFences).toBe(2);
    expect(result.tally.recoveriesFinished).toBe(2);
    expect(result.tally.watchdogResets).toBe(0);
  });

  test('with the agent stopped while its workload goes on: the watchdog ends it', async () => {
    const stopped: Fault = { id: 'stop', kind: 'agent-pause', when: { atMs: 45_000 }, forMs: 600_000, member: 'm1' };
    const result = await inLeaseWorld(2, [stopped, ...UNSTOPPABLE.slice(0, 1)]);
    expectSound(result);
    expect([result.tally.leaseFences, result.tally.watchdogResets]).toEqual([1, 1]);
  });

  test('with a stop hook that hangs: the watchdog ends it', async () => {
    const hung: Fault = { id: 'hung', kind: 'hook-hang', when: { atMs: 30_000 }, forMs: 600_000, member: 'm1' };
    const result = await inLeaseWorld(3, [hung, ...UNSTOPPABLE]);
    expectSound(result);
    expect(result.tally.leaseFences).toBe(2);
    expect(result.tally.watchdogResets).toBeGreaterThanOrEqual(1);
  });

  test.each([
    ['before', 44_900, 3_000],
    ['after', 58_000, 120_000],
  ])('with the leader paused from right %s the intent on, and another one taking over', async (_when, atMs, forMs) => {
    const paused: Fault = { id: 'pause', kind: 'coordinator-pause', when: { atMs }, forMs, coordinator: 'leader' };
    const result = await inLeaseWorld(4, [paused, ...UNSTOPPABLE]);
    expectSound(result);
    expect(result.tally.leaseFences).toBeGreaterThanOrEqual(1);
  });

  test('one that keeps no lease is held for a person, not replaced', async () => {
    const cut: Fault = { id: 'cut', kind: 'machine-cut-off', when: { atMs: 45_000 }, forMs: 1_200_000, member: 'm4' };
    const result = await inLeaseWorld(5, [cut, ...UNSTOPPABLE.slice(0, 1)]);
    expectSound(result);
    expect(result.tally.leaseFences).toBe(0);
    expect(result.tally.holdsSeen.get('FenceNotProven')).toBeGreaterThanOrEqual(1);
  });

  let waitedOut = 0;
  test.each(SEEDS)('seed %i: whatever else breaks', async (seed) => {
    const options = { seed, episode: 0, members: MEMBERS, coordinators: 3, lastsMs: FAULTS_LAST_MS - 120_000 };
    const result = await inLeaseWorld(seed, [...UNSTOPPABLE, ...generateFaults(options)]);
    expectSound(result);
    waitedOut += result.tally.leaseFences;
  });

  // A run in which no lease was waited out would prove nothing.
  test('leases were waited out in those', () => {
    expect(waitedOut).toBeGreaterThan(SEEDS.length / 3);
  });
});
