import { describe, expect, it } from 'vitest';
import { KEYS, LeadershipRig, TIMING } from './leadership.fixtures.ts';

describe('Leadership', () => {
  it('random faults over ten minutes (40 seeds): never two leaders, and one in the end', async () => {
    const fired = { cut: 0, pause: 0, lost: 0, revoke: 0 };
    for (let seed = 1; seed <= 40; seed += 1) await storm(seed, fired);
    expect(Math.min(...Object.values(fired))).toBeGreaterThan(100);
  }, 120_000);
});

/** Seeded faults for ten minutes, then quiet: safety throughout, liveness at the end. */
async function storm(seed: number, fired: Record<'cut' | 'pause' | 'lost' | 'revoke', number>): Promise<void> {
  const rig = new LeadershipRig({ seed, leaseClockRate: 1.005 });
  const processes = ['c1', 'c2', 'c3'].map((id) => rig.process(id, 5));
  const all = processes.map((process) => rig.leadership(process));
  const random = processes[0]?.deps.random;
  if (!random) throw new Error('no process');
  for (let round = 0; round < 300; round += 1) {
    const process = processes[Math.floor(random.next() * 3)];
    if (!process) continue;
    const dice = random.next();
    if (dice < 0.15) process.store.cut(dice < 0.05 ? 'replies' : 'both');
    else if (dice < 0.3) process.store.heal();
    else if (dice < 0.38) process.clock.pause();
    else if (dice < 0.55) process.clock.resume();
    else if (dice < 0.65) process.store.inject({ kind: dice < 0.6 ? 'loseReply' : 'landLate' });
    else if (dice < 0.7) revokeIdle(rig, fired);
    await rig.clock.advance(random.next() * 4000);
    rig.leaderOf(all.filter((_, index) => processes[index] !== undefined));
  }
  for (const process of processes) {
    process.store.heal();
    process.clock.resume();
    fired.cut += process.store.fired.cutRequest + process.store.fired.cutReply;
    fired.lost += process.store.fired.loseReply + process.store.fired.landLate;
    fired.pause += process.clock.heldBackCount;
  }
  await rig.clock.advance(3 * TIMING.ttlMs);
  expect(rig.leaderOf(all), `seed ${seed}: nobody leads after the faults`).not.toBeNull();
  expect(rig.overlaps(), `seed ${seed}`).toEqual([]);
  for (const each of all) await rig.clock.runUntilSettled(each.close());
}

/**
 * An operator revokes a candidate's lease (the leader's own would make an overlap that only the
 * guarded writes survive).
 */
function revokeIdle(rig: LeadershipRig, fired: { revoke: number }): void {
  const leaderLease = rig.kv.entries(KEYS.leader)[0]?.leaseId;
  const idle = rig.kv.leaseIds().find((leaseId) => leaseId !== leaderLease);
  if (idle && rig.kv.revoke(idle)) fired.revoke += 1;
}
