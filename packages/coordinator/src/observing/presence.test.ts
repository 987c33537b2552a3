import { describe, expect, it } from 'vitest';
import { TIMING } from '../leadership/leadership.fixtures.ts';
import { KEY, namesakes } from './namesakes.fixtures.ts';

/** The other process's lease, the most etcd takes to end it, and a round. */
const TAKEN_OVER_WITHIN_MS = TIMING.ttlMs + 2_000;

describe('coordinators/<id>', () => {
  it('is written where nothing lies, under our lease, and is what our standing compares', async () => {
    const { clock, start, entry, holder } = namesakes();
    const one = start();
    expect(one.presence.standing()).toBeNull();
    await clock.advance(1_000);
    expect(holder()).toBe('p1');
    expect(entry()).toMatchObject({ leaseId: one.session.leaseId() });
    expect(one.presence.standing()).toEqual({
      leaseId: one.session.leaseId(),
      compare: { key: KEY, modRevision: entry()?.modRevision },
    });
    expect(one.presence.duplicate).toBeNull();
  });

  it('is not written over while another process lives: the second one has no standing, and says so again and again', async () => {
    const { clock, start, holder } = namesakes();
    const one = start();
    await clock.advance(1_000);
    const two = start();
    await clock.advance(1_000);
    expect(two.presence.standing()).toBeNull();
    expect(two.presence.duplicate).toMatchObject({ code: 'DUPLICATE_COORDINATOR_ID' });
    expect(two.presence.duplicate?.text).toContain('10.0.0.1:7946');
    expect(two.presence.duplicate?.text).toContain('its lease ends within 12.0 s');
    expect(two.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await clock.advance(300_000);
    expect([holder(), one.presence.standing() !== null, two.presence.standing()]).toEqual(['p1', true, null]);
    expect(two.presence.duplicate?.text).not.toContain('ends within');
    expect(two.presence.duplicate?.remedy).toContain('give each coordinator its own id');
    const said = two.log.lines.filter(({ event }) => event === 'presence.duplicate');
    expect(said.map(({ level }) => level)).toEqual(said.map(() => 'error'));
    expect(said.length).toBeGreaterThanOrEqual(4);
    expect(one.presence.duplicate).toBeNull();
  });

  it('is taken by the second one by itself, at once, when the first goes', async () => {
    const { clock, start, holder, until } = namesakes();
    const one = start();
    await clock.advance(1_000);
    const two = start();
    await clock.advance(60_000);
    await one.close();
    await until(() => two.presence.standing() !== null, 500);
    expect([holder(), two.presence.duplicate]).toEqual(['p2', null]);
    expect(two.log.events()).toEqual(expect.arrayContaining(['presence.duplicate.over', 'presence.taken_over']));
  });

  it('is ours again within a lease after a crash and a quick restart, and nobody is alarmed', async () => {
    const { clock, start, holder, until } = namesakes();
    const one = start();
    await clock.advance(7_000);
    one.kill();
    const two = start();
    await clock.advance(200);
    expect([holder(), two.presence.duplicate?.code]).toEqual(['p1', 'DUPLICATE_COORDINATOR_ID']);
    await until(() => two.presence.standing() !== null, TAKEN_OVER_WITHIN_MS);
    expect(holder()).toBe('p2');
    expect(two.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('is left to the one that took it while we were paused for an hour', async () => {
    const { clock, start, holder } = namesakes();
    const one = start();
    await clock.advance(1_000);
    const before = one.presence.standing();
    one.clock.pause();
    await clock.advance(20_000);
    const two = start();
    await clock.advance(3_600_000);
    expect(holder()).toBe('p2');
    one.clock.resume();
    expect(one.presence.standing()).toBeNull();
    await clock.advance(20_000);
    expect([holder(), one.presence.standing(), one.presence.duplicate?.code]).toEqual([
      ...['p2', null],
      'DUPLICATE_COORDINATOR_ID',
    ]);
    expect(two.presence.standing()?.compare.modRevision).toBeGreaterThan(before?.compare.modRevision ?? 0);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'is left to it too when we were paused %d ms after our start, in the middle of writing',
    async (afterMs) => {
      const { clock, start, holder } = namesakes();
      const one = start();
      await clock.advance(afterMs);
      one.clock.pause();
      await clock.advance(20_000);
      const two = start();
      await clock.advance(20_000);
      one.clock.resume();
      await clock.advance(20_000);
      expect([holder(), one.presence.standing(), two.presence.standing() !== null]).toEqual(['p2', null, true]);
    },
  );

  it('whose reply was lost is found to be ours', async () => {
    const { clock, start, holder } = namesakes();
    const one = start();
    one.store.inject({ kind: 'loseReply', operation: 'txn' });
    await clock.advance(10_000);
    expect(one.store.fired.loseReply).toBe(1);
    expect([holder(), one.presence.standing() !== null, one.presence.duplicate]).toEqual(['p1', true, null]);
  });

  it('whose transaction lands late, after all was believed lost, does not lock us out', async () => {
    const { clock, start, holder } = namesakes();
    const one = start();
    one.store.inject({ kind: 'landLate', operation: 'txn', delayMs: 4_000 });
    await clock.advance(30_000);
    expect(one.store.fired.landLate).toBe(1);
    expect([holder(), one.presence.standing() !== null, one.presence.duplicate]).toEqual(['p1', true, null]);
  });

  it('comes back under the new lease when ours was lost, over the record we left under the old one', async () => {
    const { kv, clock, start, entry, until } = namesakes();
    const one = start();
    await clock.advance(1_000);
    const first = one.presence.standing();
    // We stop believing in the lease. etcd still has it, and the record.
    for (let times = 0; times < 50; times += 1) one.store.inject({ kind: 'refuse', operation: 'revokeLease' });
    one.session.reportGone(first?.leaseId ?? '');
    expect(one.presence.standing()).toBeNull();
    await until(() => one.presence.standing() !== null, 1_000);
    expect(one.presence.standing()?.leaseId).not.toBe(first?.leaseId);
    expect(entry()?.leaseId).toBe(one.presence.standing()?.leaseId);
    const second = one.presence.standing();
    kv.revoke(second?.leaseId ?? '');
    await until(() => one.presence.standing() !== null && one.presence.standing() !== second, 12_000);
    expect(one.presence.duplicate).toBeNull();
  });

  it('comes back when somebody removed it, or wrote one without a lease there: that is no living process', async () => {
    const { kv, clock, start, holder, until, entry } = namesakes();
    const one = start();
    await clock.advance(1_000);
    kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEY }] });
    await until(() => holder() === 'p1', 1_000);
    kv.apply({ compare: [], writes: [{ kind: 'put', key: KEY, value: '{"by":"hand"}' }] });
    await until(() => entry()?.leaseId === one.presence.standing()?.leaseId && holder() === 'p1', 1_000);
    expect(one.presence.duplicate).toBeNull();
  });

  it('is not ours when another lies there that cannot be read, as long as its lease lives', async () => {
    const { kv, clock, start, until } = namesakes();
    const { leaseId } = kv.grant(15_000);
    kv.apply({ compare: [], writes: [{ kind: 'put', key: KEY, value: '{"of":"another version"}', leaseId }] });
    const one = start();
    await clock.advance(13_000);
    expect(one.presence.standing()).toBeNull();
    expect(one.presence.duplicate?.text).toContain('a record that cannot be read');
    await until(() => one.presence.standing() !== null, 5_000);
  });

  it('that a process of another kind writes over is noticed at once, and won back when it ends', async () => {
    const { kv, clock, start, until } = namesakes();
    const one = start();
    await clock.advance(1_000);
    const changes: boolean[] = [];
    one.presence.onChange(() => changes.push(one.presence.standing() !== null));
    const { leaseId } = kv.grant(8_000);
    kv.apply({ compare: [], writes: [{ kind: 'put', key: KEY, value: '{"of":"a build before"}', leaseId }] });
    await until(() => one.presence.standing() === null, 100);
    await until(() => one.presence.standing() !== null, 12_000);
    expect(changes).toEqual([false, true]);
  });

  it('is looked at again when a transaction found it not to be ours', async () => {
    const { clock, start, until } = namesakes();
    const one = start();
    await clock.advance(1_000);
    const standing = one.presence.standing();
    if (!standing) throw new Error('no standing');
    one.presence.reportLost(standing);
    expect(one.presence.standing()).toBeNull();
    await until(() => one.presence.standing() !== null, 1_000);
    one.presence.withdraw(one.presence.standing() ?? standing);
    expect(one.presence.standing()).toBeNull();
    await until(() => one.presence.standing() !== null, 12_000);
  });

  it('of two that start in the same moment is one process, whichever', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { clock, start, holder } = namesakes();
      const both = [start(), start()];
      await clock.advance(5_000);
      const standing = both.filter(({ presence }) => presence.standing() !== null);
      expect(standing.map(({ name }) => name)).toEqual([holder()]);
      expect(both.filter(({ presence }) => presence.duplicate !== null)).toHaveLength(1);
    }
  });
});
