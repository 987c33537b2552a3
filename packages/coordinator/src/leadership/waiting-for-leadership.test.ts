import { describe, expect, it } from 'vitest';
import { Leadership } from './leadership.ts';
import { KEYS, LeadershipRig, TIMING } from './leadership.fixtures.ts';
import { LevelGate } from '../store/level-gate.ts';

/**
 * Two coordinators, the first one leading; the transactions of the second are counted from now on.
 */
async function two() {
  const rig = new LeadershipRig();
  const [p1, p2] = [rig.process('c1'), rig.process('c2')];
  const c1 = rig.leadership(p1);
  await rig.clock.advance(100);
  const c2 = rig.leadership(p2);
  await rig.clock.advance(100);
  const before = p2.store.applied.txn;
  return { rig, p1, p2, c1, c2, attempts: () => p2.store.applied.txn - before };
}

describe('a candidate that waits', () => {
  it('asks again twice per lease only: the watch tells when the key is free', async () => {
    const { rig, c2, attempts } = await two();
    await rig.clock.advance(60_000);
    expect(attempts()).toBeGreaterThanOrEqual(11);
    expect(attempts()).toBeLessThanOrEqual(13);
    expect(c2.current()).toBeNull();
  });

  it('asks no more often while its view has not seen the leader yet', async () => {
    const { rig, p2, attempts } = await two();
    await rig.clock.runUntilSettled(p2.store.close());
    const deaf = rig.kv.client('c3', { clock: p2.clock, latencyMs: 1, watchLatencyMs: 20_000 });
    const range = deaf.range.bind(deaf);
    // Its first list shows a time before there was a leader.
    deaf.range = async (prefix) => ({ ...(await range(prefix)), entries: [], revision: 1 });
    const c3 = rig.leadership({ ...p2, id: 'c3', store: deaf, deps: { ...p2.deps, store: deaf } });
    await rig.clock.advance(15_000);
    expect(c3.current()).toBeNull();
    expect(deaf.applied.txn).toBeLessThanOrEqual(4);
    expect(attempts()).toBeLessThanOrEqual(1);
  });

  it('whose lease etcd has ended meanwhile gets a new one with its next attempt, and that is no failure', async () => {
    const { rig, p2, c1, c2 } = await two();
    const leaderLease = rig.kv.entries(KEYS.leader)[0]?.leaseId;
    rig.kv.revoke(rig.kv.leaseIds().find((leaseId) => leaseId !== leaderLease) ?? '');
    void c1.resign();
    await rig.clock.advance(200);
    expect(c2.current()).not.toBeNull();
    expect(p2.log.events()).toContain('leadership.attempt.unclear');
    await rig.clock.advance(60_000);
    expect(p2.log.events()).not.toContain('leadership.campaign.failed');
  });

  it('keeps its lease when an attempt fails for another reason', async () => {
    const { rig, p2, c2 } = await two();
    const leases = rig.kv.leaseIds();
    p2.store.inject({ kind: 'refuse', operation: 'txn' });
    await rig.clock.advance(6_000);
    expect(p2.store.fired.refuse).toBe(1);
    expect([rig.kv.leaseIds(), c2.current()]).toEqual([leases, null]);
    expect(p2.log.events()).toEqual(
      expect.arrayContaining(['leadership.attempt.unclear', 'leadership.attempt.unclear.over']),
    );
  });

  it('repeats attempts that fail ever more slowly, up to a second apart', async () => {
    const { rig, p2 } = await two();
    await rig.clock.advance(4_900);
    p2.store.inject({ kind: 'refuse', operation: 'txn', times: 10_000 });
    await rig.clock.advance(30_000);
    expect(p2.store.fired.refuse).toBeGreaterThan(28);
    expect(p2.store.fired.refuse).toBeLessThan(70);
  });

  it('repeats the first that fails at once, however long it has waited before', async () => {
    const { rig, p2, c1, c2 } = await two();
    await rig.clock.advance(120_000);
    p2.store.inject({ kind: 'refuse', operation: 'txn' });
    void c1.resign();
    await rig.clock.advance(100);
    expect(p2.store.fired.refuse).toBe(1);
    expect(c2.current()).not.toBeNull();
  });
});

describe('a candidate whose watch and whose calls are not equally fast', () => {
  it('runs again at once when it saw the key go while the answer was on its way', async () => {
    const { rig, p2, c1 } = await two();
    await rig.clock.runUntilSettled(p2.store.close());
    const slow = rig.kv.client('c3', { clock: p2.clock, latencyMs: 200 });
    const c3 = rig.leadership({ ...p2, id: 'c3', store: slow, deps: { ...p2.deps, store: slow } });
    while (slow.applied.txn === 0) await rig.clock.advance(1);
    void c1.resign();
    await rig.clock.advance(1_000);
    expect(c3.current()).not.toBeNull();
  });

  it('is not robbed of its term by what the watch tells of the one before', async () => {
    const { rig, p2, c1 } = await two();
    await rig.clock.runUntilSettled(p2.store.close());
    void c1.resign();
    await rig.clock.advance(2_500);
    const deaf = rig.kv.client('c3', { clock: p2.clock, watchLatencyMs: 3_000 });
    const c3 = rig.leadership({ ...p2, id: 'c3', store: deaf, deps: { ...p2.deps, store: deaf } }, { recheckMs: 100 });
    await rig.clock.advance(50);
    expect(c1.current()).not.toBeNull();
    // Another deletion follows. The second candidate hears of both only after it has won.
    rig.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.leader, value: '{}' }] });
    await rig.clock.runUntilSettled(c1.close());
    rig.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
    await rig.clock.advance(300);
    const term = c3.current();
    expect(term).not.toBeNull();
    await rig.clock.advance(10_000);
    expect(term?.signal.aborted).toBe(false);
  });
});

describe('a leader', () => {
  it('that resigns is followed at once although the revocation of its lease is lost', async () => {
    const { rig, p1, c1, c2 } = await two();
    p1.store.inject({ kind: 'dropRequest', operation: 'revokeLease', times: 100 });
    void c1.resign();
    await rig.clock.advance(100);
    expect(p1.store.fired.dropRequest).toBe(1);
    expect(c2.current()).not.toBeNull();
    expect(p1.log.linesOf('leadership.ended').map(({ level }) => level)).toEqual(['info']);
  });

  it('whose deadline has passed tells its listeners, warns, and tries no hand-over', async () => {
    const { rig, p1, c1 } = await two();
    const told: boolean[] = [];
    c1.onChange(() => told.push(c1.current() !== null));
    p1.store.cut();
    await rig.clock.advance(30_000);
    expect(told).toEqual([false]);
    expect(p1.log.linesOf('leadership.ended').map(({ level }) => level)).toEqual(['warn']);
    expect(p1.log.events()).not.toContain('leadership.resign.unclear');
  });

  it('that is stopped before it knows that it has won never led', async () => {
    const rig = new LeadershipRig();
    const p1 = rig.process('c1', 200);
    const c1 = rig.leadership(p1);
    while (rig.kv.entries(KEYS.leader).length === 0) await rig.clock.advance(10);
    await rig.clock.runUntilSettled(c1.close());
    expect(rig.beliefs).toEqual([]);
    expect(p1.log.events()).not.toContain('leadership.won');
    expect(rig.kv.entries()).toEqual([]);
  });

  it('that lost its lease runs again at once, although etcd does not answer its farewell', async () => {
    const rig = new LeadershipRig();
    const p1 = rig.process('c1');
    const c1 = rig.leadership(p1);
    await rig.clock.advance(100);
    p1.store.inject({ kind: 'dropRequest', operation: 'revokeLease', times: 100 });
    rig.kv.revoke(rig.kv.entries(KEYS.leader)[0]?.leaseId ?? '');
    await rig.clock.advance(300);
    expect(p1.store.fired.dropRequest).toBe(1);
    expect(c1.current()?.number).toBe(rig.kv.entries(KEYS.leader)[0]?.createRevision);
  });

  it('leads at once when it starts, however long the machine has been up', async () => {
    const rig = new LeadershipRig();
    await rig.clock.advance(3_600_000);
    const c1 = rig.leadership(rig.process('c1'));
    await rig.clock.advance(100);
    expect(c1.current()).not.toBeNull();
  });

  it('that resigns in the moment it is told of its win gives the key back', async () => {
    const rig = new LeadershipRig();
    const c1 = rig.leadership(rig.process('c1'));
    const resigned: Promise<boolean>[] = [];
    const unsubscribe = c1.onChange(() => {
      if (c1.current() && resigned.length === 0) resigned.push(c1.resign());
    });
    await rig.clock.advance(1_000);
    expect([await resigned[0], c1.current(), rig.kv.entries(KEYS.leader)]).toEqual([true, null, []]);
    unsubscribe();
    await rig.clock.advance(2_000);
    expect(c1.current()).not.toBeNull();
  });

  it('whose listener throws gives the lease back, says so, and leads with another', async () => {
    const rig = new LeadershipRig();
    const p1 = rig.process('c1');
    const c1 = rig.leadership(p1);
    let thrown = 0;
    c1.onChange(() => {
      if (c1.current() && ++thrown === 1) throw new Error('a listener');
    });
    await rig.clock.advance(100);
    expect([thrown, c1.current()]).toEqual([1, null]);
    expect(p1.log.linesOf('leadership.campaign.failed')).toHaveLength(1);
    await rig.clock.advance(1_000);
    expect(c1.current()?.number).toBe(rig.kv.entries(KEYS.leader)[0]?.createRevision);
    expect(rig.kv.leaseIds()).toHaveLength(1);
    expect(p1.log.events()).toContain('leadership.campaign.failed.over');
  });
});

describe('who leads', () => {
  it('is nobody, and nothing to complain about, before anybody does', async () => {
    const rig = new LeadershipRig();
    const p1 = rig.process('c1');
    p1.store.inject({ kind: 'refuse', operation: 'txn', times: 100 });
    const c1 = rig.leadership(p1);
    await rig.clock.advance(500);
    expect(c1.knownLeader()).toBeNull();
    expect(p1.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is read from a record once: one that cannot be read is told once, however often it is asked for', async () => {
    const rig = new LeadershipRig();
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.leader, value: 'garbage' }] });
    const p1 = rig.process('c1');
    const c1 = rig.leadership(p1);
    await rig.clock.advance(100);
    for (let asked = 0; asked < 3; asked += 1) expect(c1.knownLeader()).toBeNull();
    expect(p1.log.linesOf('leadership.record.unreadable')).toHaveLength(1);
  });

  it('is told to listeners until they unsubscribe', async () => {
    const { rig, c1, c2 } = await two();
    let told = 0;
    const unsubscribe = c2.onChange(() => {
      told += 1;
    });
    void c1.resign();
    await rig.clock.advance(500);
    expect(told).toBeGreaterThan(0);
    unsubscribe();
    const before = told;
    await rig.clock.runUntilSettled(c2.close());
    expect(told).toBe(before);
  });
});

describe('a change of leader', () => {
  it('is told to those who do not win, too', async () => {
    const { rig, p2, c1, c2 } = await two();
    p2.store.inject({ kind: 'refuse', operation: 'txn', times: 10_000 });
    const told: (string | undefined)[] = [];
    c2.onChange(() => told.push(c2.knownLeader()?.coordinatorId));
    void c1.resign();
    await rig.clock.advance(4_000);
    expect(told).toEqual([undefined, 'c1']);
  });
});

describe('a coordinator that stops', () => {
  it('while it stays out of the race does so at once', async () => {
    const rig = new LeadershipRig();
    const c1 = rig.leadership(rig.process('c1'));
    await rig.clock.advance(100);
    await rig.clock.runUntilSettled(c1.resign());
    const startedAtMs = rig.clock.monotonicMs();
    await rig.clock.runUntilSettled(c1.close());
    expect(rig.clock.monotonicMs() - startedAtMs).toBeLessThan(100);
    await rig.clock.advance(10);
    expect([rig.kv.leaseIds(), rig.clock.pendingCount]).toEqual([[], 0]);
  });

  it('while it was never granted a lease does so without a complaint', async () => {
    const rig = new LeadershipRig();
    const p1 = rig.process('c1');
    p1.store.cut();
    const c1 = rig.leadership(p1);
    await rig.clock.advance(5_000);
    await rig.clock.runUntilSettled(c1.close());
    expect(p1.log.events()).not.toContain('leadership.campaign.failed');
  });

  it('leaves nothing scheduled: neither a watch nor a timer', async () => {
    const rig = new LeadershipRig();
    const c1 = rig.leadership(rig.process('c1'));
    await rig.clock.advance(100);
    await rig.clock.runUntilSettled(c1.close());
    await rig.clock.advance(10);
    expect([rig.clock.pendingCount, rig.kv.leaseIds(), rig.kv.entries()]).toEqual([0, [], []]);
  });

  it('has to have a timing that fits together to begin with', () => {
    const { id, deps } = new LeadershipRig().process('c1');
    const self = { coordinatorId: id, az: 'a', httpUrl: 'http://c1' };
    const timing = { ...TIMING, marginMs: 1 };
    expect(
      () =>
        new Leadership({
          ...deps,
          keys: KEYS,
          self,
          timing,
          levelGate: new LevelGate({ key: KEYS.level, log: deps.log }),
        }),
    ).toThrow(/CONFIG_INVALID/);
  });
});
