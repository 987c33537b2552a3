import { describe, expect, it } from 'vitest';
import { KEYS, LeadershipRig, TIMING } from './leadership.fixtures.ts';

/** Three coordinators, the first one leading. */
async function three(options: ConstructorParameters<typeof LeadershipRig>[0] = {}) {
  const rig = new LeadershipRig(options);
  const processes = ['c1', 'c2', 'c3'].map((id) => rig.process(id));
  const [p1, p2, p3] = processes;
  if (!p1 || !p2 || !p3) throw new Error('three processes');
  const c1 = rig.leadership(p1);
  await rig.clock.advance(100);
  const all = [c1, rig.leadership(p2), rig.leadership(p3)];
  await rig.clock.advance(500);
  expect(rig.leaderOf(all)).toBe(c1);
  const rest = all.slice(1);
  return { rig, p1, p2, p3, c1, rest, all };
}

describe('Leadership', () => {
  it('one leads, everybody knows who, and the term is the create-revision', async () => {
    const { rig, c1, all } = await three();
    const entry = rig.kv.entries(KEYS.leader)[0];
    expect(c1.current()?.number).toBe(entry?.createRevision);
    for (const each of all)
      expect(each.knownLeader()).toEqual({
        coordinatorId: 'c1',
        term: entry?.createRevision,
        httpUrl: 'http://c1',
      });
  });

  it('stays for as long as etcd answers', async () => {
    const { rig, c1, all } = await three();
    const term = c1.current()?.number;
    await rig.clock.advance(600_000);
    expect(rig.leaderOf(all)?.current()?.number).toBe(term);
    expect(rig.beliefs).toHaveLength(1);
  });

  it('a leader that vanishes is replaced within TTL + 1 s, and stopped believing before', async () => {
    const { rig, p1, rest, all } = await three();
    p1.store.cut();
    await rig.clock.advance(TIMING.ttlMs + 1000);
    expect(rest.filter((each) => each.current() !== null)).toHaveLength(1);
    expect(rig.leaderOf(all)).not.toBeNull();
    expect(rig.overlaps()).toEqual([]);
    expect(rig.beliefs).toHaveLength(2);
    expect(p1.store.fired.cutRequest).toBeGreaterThan(0);
  });

  it('a fast server clock (1 %) still leaves no overlap', async () => {
    const { rig, p1, all } = await three({ leaseClockRate: 1.01 });
    p1.store.cut();
    await rig.clock.advance(TIMING.ttlMs + 1000);
    expect(rig.leaderOf(all)).not.toBeNull();
    expect(rig.beliefs).toHaveLength(2);
    expect(rig.overlaps()).toEqual([]);
  });

  it('a planned hand-over takes milliseconds, and the old leader stays out of the race for a while', async () => {
    const { rig, c1, rest } = await three();
    const startedAtMs = rig.clock.monotonicMs();
    const resigned = c1.resign();
    expect(c1.current()).toBeNull();
    await rig.clock.advance(200);
    expect(await resigned).toBe(true);
    const successor = rest.find((each) => each.current() !== null);
    expect(successor).toBeDefined();
    expect((rig.beliefs.at(-1)?.fromMs ?? Infinity) - startedAtMs).toBeLessThanOrEqual(200);
    expect(rig.overlaps()).toEqual([]);
    expect(await c1.resign()).toBe(false);
    await rig.clock.advance(10_000);
    await rig.clock.runUntilSettled(successor?.close() ?? Promise.resolve());
    await rig.clock.advance(1000);
    expect(rig.overlaps()).toEqual([]);
  });

  it('a lone coordinator that resigns leads again after its pause', async () => {
    const rig = new LeadershipRig();
    const c1 = rig.leadership(rig.process('c1'));
    await rig.clock.advance(100);
    const first = c1.current()?.number ?? 0;
    await rig.clock.runUntilSettled(c1.resign());
    await rig.clock.advance(1500);
    expect(c1.current()).toBeNull();
    await rig.clock.advance(1000);
    expect(c1.current()?.number).toBeGreaterThan(first);
  });

  it('close resigns, revokes and leaves nothing behind', async () => {
    const { rig, c1, rest } = await three();
    await rig.clock.runUntilSettled(c1.close());
    await rig.clock.advance(200);
    expect(rest.filter((each) => each.current() !== null)).toHaveLength(1);
    for (const each of rest) await rig.clock.runUntilSettled(each.close());
    expect(rig.kv.entries()).toEqual([]);
    expect(rig.kv.leaseIds()).toEqual([]);
  });

  it('close without etcd is bounded', async () => {
    const { rig, p1, c1 } = await three();
    p1.store.cut();
    const startedAtMs = rig.clock.monotonicMs();
    await rig.clock.runUntilSettled(c1.close());
    expect(rig.clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(4 * TIMING.callTimeoutMs + 1);
  });

  it('a win whose reply was lost is recognised as our own', async () => {
    const rig = new LeadershipRig();
    const p1 = rig.process('c1');
    p1.store.inject({ kind: 'loseReply', operation: 'txn' });
    const c1 = rig.leadership(p1);
    // Another write in between must not confuse it.
    await rig.clock.advance(500);
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/elsewhere', value: '1' }] });
    await rig.clock.advance(2000);
    expect(p1.store.fired.loseReply).toBe(1);
    expect(c1.current()?.number).toBe(rig.kv.entries(KEYS.leader)[0]?.createRevision);
  });

  it('a win that lands late, after a rival won and resigned, is recognised or harmless, never doubled', async () => {
    const rig = new LeadershipRig();
    const [p1, p2] = [rig.process('c1'), rig.process('c2')];
    p1.store.inject({ kind: 'landLate', operation: 'txn', delayMs: 3000 });
    const all = [rig.leadership(p1), rig.leadership(p2)];
    for (let round = 0; round < 300; round += 1) {
      await rig.clock.advance(50);
      rig.leaderOf(all);
      if (round === 40) void all[1]?.resign();
    }
    expect(p1.store.fired.landLate).toBe(1);
    expect(rig.leaderOf(all)).not.toBeNull();
    expect(rig.overlaps()).toEqual([]);
  });

  it('a win is believed only after it was read back', async () => {
    const rig = new LeadershipRig();
    const p1 = rig.process('c1');
    p1.store.inject({ kind: 'dropRequest', operation: 'get' });
    const c1 = rig.leadership(p1);
    await rig.clock.advance(1000);
    expect(rig.kv.entries(KEYS.leader)).toHaveLength(1);
    expect(c1.current()).toBeNull();
    await rig.clock.advance(1000);
    expect(c1.current()).not.toBeNull();
  });

  it('a candidate whose lease was revoked while it waited gets a new one and no phantom term', async () => {
    const { rig, c1, rest, all } = await three();
    const leaderLease = rig.kv.entries(KEYS.leader)[0]?.leaseId;
    for (const leaseId of rig.kv.leaseIds()) if (leaseId !== leaderLease) rig.kv.revoke(leaseId);
    await rig.clock.advance(100);
    void c1.resign();
    for (let round = 0; round < 200; round += 1) {
      await rig.clock.advance(50);
      const leader = rig.leaderOf(all);
      if (leader) expect(rig.kv.entries(KEYS.leader)[0]?.createRevision).toBe(leader.current()?.number);
    }
    expect(rest.filter((each) => each.current() !== null)).toHaveLength(1);
    expect(rig.overlaps()).toEqual([]);
  });

  it('the leader key deleted by hand: the term is over as soon as the watch tells', async () => {
    const { rig, c1, all } = await three();
    const term = c1.current();
    rig.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
    await rig.clock.advance(1);
    expect(term?.signal.aborted).toBe(true);
    await rig.clock.advance(1000);
    expect(rig.leaderOf(all)?.current()?.number).toBeGreaterThan(term?.number ?? Infinity);
  });

  it('a lost watch event only delays the take-over to the re-check', async () => {
    const { rig, p2, c1, rest } = await three();
    await rig.clock.runUntilSettled(rest[1]?.close() ?? Promise.resolve());
    // From here on the watch of c2 is deaf, without an error. Its calls still pass.
    p2.store.cut();
    p2.store.heal();
    void c1.close();
    await rig.clock.advance(TIMING.ttlMs / 2 + 500);
    expect(rest[0]?.current()).not.toBeNull();
  });

  it('paused for 2 × TTL: somebody else leads; back again it does nothing guarded and steps down', async () => {
    const { rig, p1, c1, rest } = await three();
    const term = c1.current();
    if (!term) throw new Error('c1 leads');
    p1.clock.pause();
    await rig.clock.advance(2 * TIMING.ttlMs);
    expect(rest.filter((each) => each.current() !== null)).toHaveLength(1);
    // Code of the paused process that runs before any of its timers.
    expect(term.holdsFor(0)).toBe(false);
    expect(term.signal.aborted).toBe(true);
    p1.clock.resume();
    expect(c1.current()).toBeNull();
    const write = term.commit({ puts: [{ key: '/guarded', record: {}, expect: 0 }] });
    await expect(write).rejects.toMatchObject({ code: 'LEASE_LOST' });
    await rig.clock.advance(5000);
    expect(rig.kv.entries('/guarded')).toEqual([]);
    expect(p1.clock.heldBackCount).toBeGreaterThan(0);
  });

  it('a wall clock that steps changes nothing', async () => {
    const { rig, p1, p2, c1, all } = await three();
    for (const stepMs of [3_600_000, -7_200_000, 86_400_000]) {
      p1.clock.stepWall(stepMs);
      p2.clock.stepWall(-stepMs);
      await rig.clock.advance(20_000);
      expect(rig.leaderOf(all)).toBe(c1);
    }
    p1.store.cut();
    p1.clock.stepWall(-3_600_000);
    await rig.clock.advance(TIMING.ttlMs + 1000);
    expect(rig.leaderOf(all)).not.toBe(c1);
    expect(rig.overlaps()).toEqual([]);
  });

  it('an unreadable leader record is nobody we know, and no crash', async () => {
    const rig = new LeadershipRig();
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.leader, value: 'garbage' }] });
    const p1 = rig.process('c1');
    const c1 = rig.leadership(p1);
    await rig.clock.advance(5000);
    expect(c1.knownLeader()).toBeNull();
    expect(c1.current()).toBeNull();
    expect(p1.log.events()).toContain('leadership.record.unreadable');
  });
});
