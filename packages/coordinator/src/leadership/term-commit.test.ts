import { type GuardedWrite, hasCode, type Term, writeIdOf } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { KEYS, LeadershipRig } from './leadership.fixtures.ts';
import { RecordWriter } from '../store/record-writer.ts';

async function leading() {
  const rig = new LeadershipRig();
  const process = rig.process('c1', 0);
  const leadership = rig.leadership(process);
  await rig.clock.advance(100);
  const term = leadership.current();
  if (!term) throw new Error('c1 leads');
  const commit = (write: GuardedWrite) => rig.clock.runUntilSettled(outcome(term, write));
  const value = (key: string) => rig.kv.state.get(key)?.value;
  return { rig, process, leadership, term, commit, value };
}

const outcome = (term: Term, write: GuardedWrite) =>
  term.commit(write).catch((error: unknown) => {
    for (const code of ['LEASE_LOST', 'STORE_UNAVAILABLE', 'STORE_OUTCOME_UNKNOWN'] as const)
      if (hasCode(error, code)) return { kind: code };
    throw error;
  });

const create = (key: string, text = 'x'): GuardedWrite => ({ puts: [{ key, record: { text }, expect: 0 }] });

/** Hits the write itself, not the reading back (which writes nothing). */
const theWrite = {
  operation: 'txn' as const,
  matching: (txn: { writes: readonly unknown[] }) => txn.writes.length > 0,
};
const theReadBack = {
  operation: 'txn' as const,
  matching: (txn: { writes: readonly unknown[] }) => txn.writes.length === 0,
};

describe('Term.commit', () => {
  it('stamps the record and returns the new modRevision', async () => {
    const { rig, commit, term } = await leading();
    const committed = await commit(create('/a'));
    const entry = rig.kv.state.get('/a');
    expect(committed).toEqual({ kind: 'committed', revision: entry?.modRevision });
    expect(JSON.parse(entry?.value ?? '')).toEqual({
      text: 'x',
      schemaVersion: 1,
      writeId: expect.stringMatching(/^w-[0-9a-f]{24}$/),
      writtenBy: term.coordinatorId,
      writtenAtWallMs: expect.any(Number),
    });
  });

  it('puts, deletes and prefixes go in one revision', async () => {
    const { rig, commit } = await leading();
    for (const key of ['/d', '/j/1', '/j/2'])
      rig.kv.apply({ compare: [], writes: [{ kind: 'put', key, value: '{}' }] });
    const expectD = rig.kv.state.get('/d')?.modRevision ?? 0;
    const committed = await commit({
      puts: [
        { key: '/a', record: {}, expect: 0 },
        { key: '/b', record: {}, expect: 0 },
      ],
      deletes: [{ key: '/d', expect: expectD }],
      deletePrefixes: ['/j/'],
    });
    expect(committed).toEqual({ kind: 'committed', revision: rig.kv.revision });
    expect(rig.kv.entries('/').map((entry) => entry.key)).toEqual(['/a', '/b', KEYS.leader]);
  });

  it('a conflict shows what the compared keys hold, in order puts, deletes, also, and writes nothing', async () => {
    const { rig, commit } = await leading();
    await commit(create('/a', 'theirs'));
    const a = rig.kv.state.get('/a');
    const before = rig.kv.revision;
    const conflict = await commit({
      puts: [
        { key: '/new', record: {}, expect: 0 },
        { key: '/a', record: {}, expect: 1 },
      ],
      deletes: [{ key: '/gone', expect: 7 }],
      also: [{ key: '/also', createRevision: 0 }],
    });
    expect(conflict).toEqual({ kind: 'conflict', entries: [null, a, null, null] });
    expect(rig.kv.revision).toBe(before);
  });

  it('somebody else leads: LEASE_LOST, nothing written, and the term ends here and now', async () => {
    const { rig, term, leadership, process } = await leading();
    process.store.breakWatches();
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/x', value: '1' }] });
    rig.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: KEYS.leader, value: '{}' }] });
    expect(leadership.current()).not.toBeNull();
    const lost = outcome(term, create('/a'));
    expect(await rig.clock.runUntilSettled(lost)).toEqual({ kind: 'LEASE_LOST' });
    expect(term.signal.aborted).toBe(true);
    expect(leadership.current()).toBeNull();
    expect(rig.kv.state.get('/a')).toBeNull();
  });

  it('reply lost: read back and recognised as committed, with its own revision, written once', async () => {
    const { rig, process, commit } = await leading();
    process.store.inject({ kind: 'loseReply', ...theWrite });
    const before = rig.kv.revision;
    const committed = await commit(create('/a'));
    expect(process.store.fired.loseReply).toBe(1);
    expect(committed).toEqual({ kind: 'committed', revision: before + 1 });
    expect(rig.kv.revision).toBe(before + 1);
  });

  it('request lost: nothing there after reading back, so the same transaction goes again and settles it', async () => {
    const { rig, process, commit } = await leading();
    process.store.inject({ kind: 'dropRequest', ...theWrite });
    const before = rig.kv.revision;
    expect(await commit(create('/a'))).toEqual({ kind: 'committed', revision: before + 1 });
    expect(process.store.fired.dropRequest).toBe(1);
    expect(rig.kv.revision).toBe(before + 1);
  });

  it('request late, landing after it was repeated: written exactly once', async () => {
    const { rig, process, commit } = await leading();
    process.store.inject({ kind: 'landLate', delayMs: 1700, ...theWrite });
    const before = rig.kv.revision;
    expect((await commit(create('/a'))).kind).toBe('committed');
    await rig.clock.advance(10_000);
    expect(process.store.fired.landLate).toBe(1);
    expect(rig.kv.revision).toBe(before + 1);
  });

  it('reply lost and meanwhile overwritten by somebody: a conflict that shows theirs', async () => {
    const { rig, process, term } = await leading();
    process.store.inject({ kind: 'loseReply', ...theWrite });
    const pending = outcome(term, create('/a'));
    await rig.clock.advance(10);
    rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/a', value: '{"writeId":"theirs"}' }] });
    const settled = await rig.clock.runUntilSettled(pending);
    expect(settled).toEqual({ kind: 'conflict', entries: [rig.kv.state.get('/a')] });
  });

  it('reading back fails too: unknown, and said so', async () => {
    const { process, commit } = await leading();
    process.store.inject({ kind: 'loseReply', ...theWrite });
    process.store.inject({ kind: 'dropRequest', ...theReadBack });
    expect(await commit(create('/a'))).toEqual({ kind: 'STORE_OUTCOME_UNKNOWN' });
    expect([process.store.fired.loseReply, process.store.fired.dropRequest]).toEqual([1, 1]);
  });

  it('a certain failure of the repetition does not make the first sending certain', async () => {
    const { process, commit } = await leading();
    process.store.inject({ kind: 'dropRequest', ...theWrite });
    process.store.inject({ kind: 'refuse', times: 5, ...theWrite });
    expect(await commit(create('/a'))).toEqual({ kind: 'STORE_OUTCOME_UNKNOWN' });
    expect(process.store.fired.refuse).toBeGreaterThan(0);
  });

  it('certainly not sent: unavailable, nothing written', async () => {
    const { rig, process, commit } = await leading();
    process.store.inject({ kind: 'refuse', ...theWrite });
    expect(await commit(create('/a'))).toEqual({ kind: 'STORE_UNAVAILABLE' });
    expect(rig.kv.state.get('/a')).toBeNull();
  });

  it('after the term nothing is sent any more', async () => {
    const { rig, process, leadership, commit } = await leading();
    await rig.clock.runUntilSettled(leadership.resign());
    const sent = process.store.applied.txn;
    expect(await commit(create('/a'))).toEqual({ kind: 'LEASE_LOST' });
    expect(process.store.applied.txn).toBe(sent);
  });

  it('a commit sent before a pause and landing after a successor took over is refused by the guard', async () => {
    const rig = new LeadershipRig();
    const [p1, p2] = [rig.process('c1', 0), rig.process('c2', 0)];
    const c1 = rig.leadership(p1);
    await rig.clock.advance(100);
    const c2 = rig.leadership(p2);
    const term = c1.current();
    if (!term) throw new Error('c1 leads');
    p1.store.inject({ kind: 'landLate', delayMs: 15_000, ...theWrite });
    const pending = outcome(term, create('/a', 'stale'));
    p1.clock.pause();
    await rig.clock.advance(14_000);
    expect(c2.current()).not.toBeNull();
    await rig.clock.advance(10_000);
    p1.clock.resume();
    expect(['LEASE_LOST', 'STORE_OUTCOME_UNKNOWN']).toContain((await rig.clock.runUntilSettled(pending)).kind);
    expect(p1.store.fired.landLate).toBe(1);
    expect(rig.kv.state.get('/a')).toBeNull();
  });
});

describe('RecordWriter', () => {
  const writer = () => {
    const rig = new LeadershipRig();
    const process = rig.process('o1', 0);
    const records = new RecordWriter({ ...process.deps, writtenBy: 'o1' });
    const run = <T>(work: Promise<T>) => rig.clock.runUntilSettled(work);
    return { rig, process, records, run };
  };

  it('creates and changes by compare-and-swap', async () => {
    const { rig, records, run } = writer();
    const first = await run(records.write({ key: '/o', record: { n: 1 }, expect: 0 }));
    expect(first.kind).toBe('committed');
    expect((await run(records.write({ key: '/o', record: { n: 2 }, expect: 0 }))).kind).toBe('conflict');
    const revision = first.kind === 'committed' ? first.revision : 0;
    expect((await run(records.write({ key: '/o', record: { n: 2 }, expect: revision }))).kind).toBe('committed');
    expect(JSON.parse(rig.kv.state.get('/o')?.value ?? '')).toMatchObject({ n: 2 });
  });

  it('puts under the lease', async () => {
    const { rig, process, records, run } = writer();
    const { leaseId } = await run(process.store.grantLease(10_000));
    const outcome = await run(records.write({ key: '/o', record: { n: 1 }, expect: 0, leaseId }));
    expect(outcome.kind).toBe('committed');
    expect(rig.kv.state.get('/o')).toMatchObject({ leaseId });
  });

  it('a lost reply is found again', async () => {
    const { rig, process, records, run } = writer();
    process.store.inject({ kind: 'loseReply', ...theWrite });
    const put = await run(records.write({ key: '/o', record: {}, expect: 0 }));
    expect(put).toEqual({ kind: 'committed', revision: rig.kv.revision });
    expect(writeIdOf(rig.kv.state.get('/o'))).not.toBeNull();
    expect(process.store.fired.loseReply).toBe(1);
  });

  it('a request that was lost is sent again', async () => {
    const { rig, process, records, run } = writer();
    process.store.inject({ kind: 'dropRequest', ...theWrite });
    expect((await run(records.write({ key: '/o', record: {}, expect: 0 }))).kind).toBe('committed');
    expect([process.store.fired.dropRequest, rig.kv.entries().length]).toEqual([1, 1]);
  });

  it('a lease that is gone is named', async () => {
    const { records, run } = writer();
    const put = run(records.write({ key: '/o', record: {}, expect: 0, leaseId: '123' }));
    await expect(put).rejects.toMatchObject({ code: 'STORE_REJECTED', upstreamCode: 'LEASE_NOT_FOUND' });
  });
});
