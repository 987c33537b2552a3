import { hasCode } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { LeadershipRig, TIMING } from '../leadership/leadership.fixtures.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { Session } from './session.ts';

async function held(latencyMs = 1) {
  const rig = new LeadershipRig();
  const process = rig.process('c1', latencyMs);
  const keeper = await rig.clock.runUntilSettled(LeaseKeeper.grant(process.deps, TIMING));
  return { rig, process, keeper };
}

describe('LeaseKeeper', () => {
  it('counts from the sending of the grant, not from its answer', async () => {
    const { keeper } = await held(400);
    expect(keeper.remainingMs()).toBe(8400 - 800);
  });

  it('keeps the lease for as long as etcd answers, counting from each sending', async () => {
    const { rig, keeper, process } = await held(100);
    await rig.clock.advance(60_000);
    expect(keeper.signal.aborted).toBe(false);
    expect(keeper.remainingMs()).toBeGreaterThan(8400 - 2000 - 300);
    expect(process.store.applied.keepAlive).toBeGreaterThan(25);
  });

  it('etcd cut off: lost 8.4 s after the last good keepalive was sent, before etcd ends the lease', async () => {
    const { rig, keeper, process } = await held();
    await rig.clock.advance(2100);
    expect(process.store.applied.keepAlive).toBe(1);
    process.store.cut();
    await rig.clock.advance(8299);
    expect(keeper.signal.aborted).toBe(false);
    expect(keeper.holdsFor(0)).toBe(true);
    expect(keeper.holdsFor(1)).toBe(false);
    await rig.clock.advance(2);
    expect(keeper.signal.aborted).toBe(true);
    expect(hasCode(keeper.signal.reason, 'LEASE_LOST')).toBe(true);
    expect(rig.kv.leaseIds()).toEqual([keeper.leaseId]);
    expect(process.store.fired.cutRequest).toBeGreaterThan(0);
  });

  it('one lost keepalive is made up for', async () => {
    const { rig, keeper, process } = await held();
    process.store.inject({ kind: 'dropRequest', operation: 'keepAlive' });
    await rig.clock.advance(30_000);
    expect(process.store.fired.dropRequest).toBe(1);
    expect(keeper.signal.aborted).toBe(false);
  });

  it('etcd no longer knows the lease: lost with the next keepalive', async () => {
    const { rig, keeper } = await held();
    rig.kv.revoke(keeper.leaseId);
    await rig.clock.advance(2100);
    expect(keeper.signal.aborted).toBe(true);
  });

  it('paused past the deadline: the first question after the pause gets no, although no timer ran yet', async () => {
    const { rig, keeper, process } = await held();
    process.clock.pause();
    await rig.clock.advance(9000);
    expect(keeper.signal.aborted).toBe(false);
    expect(keeper.holdsFor(0)).toBe(false);
    expect(keeper.signal.aborted).toBe(true);
    process.clock.resume();
    await rig.clock.advance(100);
    expect(rig.kv.leaseIds()).toEqual([]);
  });

  it('a keepalive answer that is read before any timer, but after the deadline, brings nothing back to life', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    // Answers come in on the store's clock, as after SIGCONT, when sockets are read before timers
    // run.
    const store = rig.kv.client('direct', { callTimeoutMs: 60_000 });
    const keeper = await rig.clock.runUntilSettled(LeaseKeeper.grant({ ...process.deps, store }, TIMING));
    store.slowTo(3500);
    await rig.clock.advance(2100);
    process.clock.pause();
    await rig.clock.advance(7400);
    expect(store.applied.keepAlive).toBe(1);
    expect(rig.kv.leaseIds()).toEqual([keeper.leaseId]);
    expect(keeper.signal.aborted).toBe(true);
    process.clock.resume();
    await rig.clock.advance(8000);
    expect(keeper.remainingMs()).toBe(0);
    expect(rig.kv.leaseIds()).toEqual([]);
  });

  it('the wall clock may step as it likes', async () => {
    const { rig, keeper, process } = await held();
    process.clock.stepWall(-3_600_000);
    await rig.clock.advance(5000);
    process.clock.stepWall(7_200_000);
    expect(keeper.remainingMs()).toBeGreaterThan(6000);
    process.store.cut();
    await rig.clock.advance(9000);
    expect(keeper.signal.aborted).toBe(true);
  });

  it('a lost lease is revoked as soon as etcd is back, while it could still live', async () => {
    const { rig, keeper, process } = await held();
    process.store.cut();
    await rig.clock.advance(8500);
    expect(keeper.signal.aborted).toBe(true);
    process.store.heal();
    // A late keepalive of ours cannot have prolonged it, so it would end by itself at 10 s. The
    // revocation may come first.
    await rig.clock.advance(3000);
    expect(rig.kv.leaseIds()).toEqual([]);
  });

  it('close stops believing at once and revokes; without etcd it takes two call timeouts at most', async () => {
    const { rig, keeper } = await held();
    const closed = keeper.close();
    expect(keeper.holdsFor(0)).toBe(false);
    await rig.clock.runUntilSettled(closed);
    expect(rig.kv.leaseIds()).toEqual([]);

    const second = await held();
    second.process.store.cut();
    const startedAtMs = second.rig.clock.monotonicMs();
    await second.rig.clock.runUntilSettled(second.keeper.close());
    expect(second.rig.clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(3001);
  });

  it('uses the granted TTL, not the asked one', async () => {
    const rig = new LeadershipRig({ minimumTtlMs: 20_000 });
    const { deps } = rig.process('c1', 0);
    const keeper = await rig.clock.runUntilSettled(LeaseKeeper.grant(deps, TIMING));
    expect(keeper.ttlMs).toBe(20_000);
    expect(keeper.remainingMs()).toBeCloseTo(20_000 * 0.99 - 1500);
  });

  it('a grant whose answer took longer than the lease is refused', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    const granting = LeaseKeeper.grant(process.deps, TIMING).then(
      () => 'granted',
      (error: unknown) => (hasCode(error, 'LEASE_LOST') ? 'refused' : error),
    );
    process.clock.pause();
    await rig.clock.advance(9000);
    process.clock.resume();
    expect(await rig.clock.runUntilSettled(granting)).toBe('refused');
    await rig.clock.advance(100);
    expect(rig.kv.leaseIds()).toEqual([]);
  });
});

describe('Session', () => {
  it('grants a new lease when the old one is lost, and tells its listeners each time', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    const session = new Session(process.deps, TIMING);
    const told: (string | null)[] = [];
    session.onChange((leaseId) => told.push(leaseId));
    session.start();
    await rig.clock.advance(100);
    const first = session.leaseId();
    expect(first).not.toBeNull();
    rig.kv.revoke(first ?? '');
    await rig.clock.advance(3000);
    expect(session.leaseId()).not.toBe(first);
    expect(told).toEqual([first, null, session.leaseId()]);
    await rig.clock.runUntilSettled(session.close());
    expect(rig.kv.leaseIds()).toEqual([]);
    expect(session.leaseId()).toBeNull();
  });

  it('starts without etcd and gets its lease when etcd comes', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1');
    process.store.cut();
    const session = new Session(process.deps, TIMING);
    session.start();
    await rig.clock.advance(30_000);
    expect(session.leaseId()).toBeNull();
    process.store.heal();
    await rig.clock.advance(3000);
    expect(session.leaseId()).not.toBeNull();
    await rig.clock.runUntilSettled(session.close());
  });
});
