import { describe, expect, it } from 'vitest';
import type { Clock } from '@understudy/shared';
import { LeadershipRig, TIMING } from '../leadership/leadership.fixtures.ts';
import { grantPersistently, LeaseKeeper } from './lease-keeper.ts';
import { Session } from './session.ts';

async function held(latencyMs = 1) {
  const rig = new LeadershipRig();
  const process = rig.process('c1', latencyMs);
  const keeper = await rig.clock.runUntilSettled(LeaseKeeper.grant(process.deps, TIMING));
  return { rig, process, keeper };
}

describe('keepalives', () => {
  it('that fail are repeated within half a second, not only when the next one is due', async () => {
    const { rig, process } = await held();
    process.store.inject({ kind: 'dropRequest', operation: 'keepAlive' });
    await rig.clock.advance(TIMING.keepaliveMs + TIMING.callTimeoutMs + 60);
    expect([process.store.fired.dropRequest, process.store.applied.keepAlive]).toEqual([1, 1]);
  });

  it('that are refused are repeated ever more slowly, up to half a second apart', async () => {
    const { rig, process, keeper } = await held();
    process.store.inject({ kind: 'refuse', operation: 'keepAlive', times: 10_000 });
    await rig.clock.advance(8_300);
    expect(keeper.signal.aborted).toBe(false);
    expect(process.store.fired.refuse).toBeGreaterThan(12);
    expect(process.store.fired.refuse).toBeLessThan(35);
  });

  it('that succeed again begin anew: the first failure after that is repeated within 50 ms', async () => {
    const { rig, process } = await held(0);
    process.store.inject({ kind: 'refuse', operation: 'keepAlive', times: 8 });
    await rig.clock.advance(6_000);
    const before = process.store.applied.keepAlive;
    process.store.inject({ kind: 'refuse', operation: 'keepAlive' });
    while (process.store.fired.refuse < 9) await rig.clock.advance(1);
    await rig.clock.advance(51);
    expect(process.store.applied.keepAlive).toBeGreaterThan(before);
  });

  it('are sent each 2 s, however long the answers take', async () => {
    const { rig, process } = await held(400);
    await rig.clock.advance(20_500);
    expect(process.store.applied.keepAlive).toBe(10);
  });

  it('leave one timer for the deadline, not one more each', async () => {
    const { rig } = await held();
    await rig.clock.advance(3_000);
    const pending = rig.clock.pendingCount;
    await rig.clock.advance(60_000);
    expect(rig.clock.pendingCount).toBe(pending);
  });

  it('that are answered with less time than before count: etcd ends the lease then', async () => {
    const { rig, process, keeper } = await held(0);
    process.store.keepAlive = () => Promise.resolve({ ttlMs: 4_000 });
    await rig.clock.advance(2_001);
    expect(keeper.remainingMs()).toBeCloseTo(4_000 * 0.99 - TIMING.marginMs - 1, 6);
  });
});

describe('the end of a lease', () => {
  it('comes at its deadline also when the timer is early', async () => {
    const rig = new LeadershipRig();
    const { deps } = rig.process('c1', 0);
    const early: Clock = {
      monotonicMs: () => rig.clock.monotonicMs(),
      wallMs: () => rig.clock.wallMs(),
      setTimer: (delayMs, callback) => rig.clock.setTimer(delayMs - 0.5, callback),
      // No keepalive is sent.
      sleep: () => new Promise(() => undefined),
    };
    const keeper = await rig.clock.runUntilSettled(LeaseKeeper.grant({ ...deps, clock: early }, TIMING));
    await rig.clock.advance(8_399.5);
    expect(keeper.signal.aborted).toBe(false);
    await rig.clock.advance(1);
    expect(keeper.signal.aborted).toBe(true);
  });

  it('is revoked once, whoever notices it how often', async () => {
    const { rig, process, keeper } = await held();
    keeper.reportGone();
    keeper.reportGone();
    await rig.clock.runUntilSettled(keeper.close());
    expect([process.store.applied.revokeLease, rig.kv.leaseIds()]).toEqual([1, []]);
    expect(String(keeper.signal.reason)).toContain('etcd no longer knows the lease');
  });

  it('leaves nothing scheduled', async () => {
    const { rig, keeper } = await held();
    await rig.clock.runUntilSettled(keeper.close());
    expect(rig.clock.pendingCount).toBe(0);
  });

  it('is told to etcd again when etcd refused to hear it', async () => {
    const { rig, process, keeper } = await held();
    process.store.inject({ kind: 'refuse', operation: 'revokeLease', times: 3 });
    keeper.reportGone();
    await rig.clock.advance(1_000);
    expect([process.store.fired.refuse, rig.kv.leaseIds()]).toEqual([3, []]);
  });

  it('is told ever more slowly, and not any more once the lease has ended by itself', async () => {
    const { rig, process, keeper } = await held();
    process.store.inject({ kind: 'refuse', operation: 'revokeLease', times: 100_000 });
    keeper.reportGone();
    await rig.clock.advance(TIMING.ttlMs + 1_000);
    const told = process.store.fired.refuse;
    expect(told).toBeGreaterThan(8);
    expect(told).toBeLessThan(25);
    await rig.clock.advance(60_000);
    expect(process.store.fired.refuse).toBe(told);
  });

  it('is not told any more once it was closed and etcd did not hear', async () => {
    const { rig, process, keeper } = await held();
    process.store.inject({ kind: 'refuse', operation: 'revokeLease', times: 100_000 });
    await rig.clock.runUntilSettled(keeper.close());
    const told = process.store.fired.refuse;
    await rig.clock.advance(5_000);
    expect(process.store.fired.refuse).toBe(told);
    expect(rig.clock.pendingCount).toBeLessThanOrEqual(1);
  });
});

describe('a lease is asked for until it is granted', () => {
  it('ever more slowly, up to a second apart, and the failure and its end are told', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    process.store.inject({ kind: 'refuse', operation: 'grantLease', times: 10_000 });
    const session = new Session(process.deps, TIMING);
    session.start();
    await rig.clock.advance(30_000);
    expect(process.log.linesOf('lease.grant.failed')[0]).toMatchObject({ level: 'warn' });
    expect(process.store.fired.refuse).toBeGreaterThan(25);
    expect(process.store.fired.refuse).toBeLessThan(70);
    process.store.heal();
    await rig.clock.advance(1_100);
    expect(session.leaseId()).not.toBeNull();
    expect(process.log.events()).toContain('lease.grant.failed.over');
    await rig.clock.runUntilSettled(session.close());
  });

  it('or until nobody wants it any more: one that is granted too late is given back', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1', 500);
    const wanted = new AbortController();
    const asked = grantPersistently(process.deps, TIMING, wanted.signal).catch((error: unknown) => String(error));
    await rig.clock.advance(600);
    expect(rig.kv.leaseIds()).toHaveLength(1);
    wanted.abort(new Error('not wanted'));
    expect(await rig.clock.runUntilSettled(asked)).toBe('Error: not wanted');
    expect(rig.kv.leaseIds()).toEqual([]);
  });

  it('not at all where nobody wants it to begin with', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    const asked = grantPersistently(process.deps, TIMING, AbortSignal.abort(new Error('not wanted')));
    await expect(rig.clock.runUntilSettled(asked)).rejects.toThrow('not wanted');
    expect(process.store.applied.grantLease).toBe(0);
  });
});

describe('a session', () => {
  async function started() {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    const session = new Session(process.deps, TIMING);
    session.start();
    await rig.clock.advance(100);
    return { rig, process, session };
  }

  it('has no lease after a pause past its deadline, although nothing has run since', async () => {
    const { rig, process, session } = await started();
    expect(session.leaseId()).not.toBeNull();
    process.clock.pause();
    await rig.clock.advance(9_000);
    expect(session.leaseId()).toBeNull();
  });

  it('gets another lease when a listener finds the new one gone at once', async () => {
    const rig = new LeadershipRig();
    const session = new Session(rig.process('c1').deps, TIMING);
    const told: (string | null)[] = [];
    session.onChange((leaseId) => {
      told.push(leaseId);
      if (leaseId !== null && told.length === 1) session.reportGone(leaseId);
    });
    session.start();
    await rig.clock.advance(100);
    expect(session.leaseId()).not.toBeNull();
    expect(told).toEqual([told[0], null, session.leaseId()]);
  });

  it('can be closed, and told of a lease that is gone, while etcd was never there', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    process.store.cut();
    const session = new Session(process.deps, TIMING);
    session.reportGone('another');
    session.start();
    await rig.clock.advance(5_000);
    await rig.clock.runUntilSettled(session.close());
    await rig.clock.advance(20_000);
    expect([session.leaseId(), process.store.applied.grantLease]).toEqual([null, 0]);
  });

  it('is started once, and asks for no lease after it was closed', async () => {
    const { rig, process, session } = await started();
    session.start();
    await rig.clock.advance(100);
    expect(process.store.applied.grantLease).toBe(1);
    await rig.clock.runUntilSettled(session.close());
    await rig.clock.advance(20_000);
    expect(process.store.applied.grantLease).toBe(1);
  });
});
