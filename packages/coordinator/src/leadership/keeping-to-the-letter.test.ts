import { type KvEntry, type KvTxn, LeaderTerm, writeIdOf } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { KEYS, LeadershipRig, TIMING } from './leadership.fixtures.ts';
import { LeaseKeeper } from '../store/lease-keeper.ts';
import { Session } from '../store/session.ts';

const entryOf = (value: string): KvEntry => ({ key: 'k', value, createRevision: 1, modRevision: 1, leaseId: null });

describe('whose an entry is', () => {
  it.each([
    ['no entry', null, null],
    ['no JSON', entryOf('garbage'), null],
    ['null', entryOf('null'), null],
    ['a number', entryOf('7'), null],
    ['a text', entryOf('"w-1"'), null],
    ['a record without a nonce', entryOf('{"a":1}'), null],
    ['a nonce that is no text', entryOf('{"writeId":7}'), null],
    ['a record of ours', entryOf('{"writeId":"w-1"}'), 'w-1'],
  ])('%s', (_what, entry, expected) => {
    expect(writeIdOf(entry)).toBe(expected);
  });
});

async function leading() {
  const rig = new LeadershipRig();
  const process = rig.process('c1', 0);
  const leadership = rig.leadership(process);
  await rig.clock.advance(100);
  const term = leadership.current();
  if (!term) throw new Error('c1 leads');
  return { rig, process, term, leadership };
}

const put = (key: string) => ({ puts: [{ key, record: { key }, expect: 0 }] as const });

describe('a guarded commit', () => {
  it('is sent three times at most while its requests get lost, and then its outcome is unknown', async () => {
    const { rig, process, term } = await leading();
    let sendings = 0;
    const txn = process.store.txn.bind(process.store);
    process.store.txn = (one) => {
      if (one.writes.some((write) => write.kind === 'put' && write.key === '/a')) sendings += 1;
      return txn(one);
    };
    const theWrite = (one: { writes: readonly unknown[] }) => one.writes.length > 0;
    process.store.inject({ kind: 'dropRequest', operation: 'txn', times: 9, matching: theWrite });
    await expect(rig.clock.runUntilSettled(term.commit(put('/a')))).rejects.toMatchObject({
      code: 'STORE_OUTCOME_UNKNOWN',
    });
    expect(sendings).toBe(3);
    expect(rig.kv.entries('/a')).toEqual([]);
  });

  it('is not repeated once the term is over', async () => {
    const { rig, process, term } = await leading();
    let sendings = 0;
    const txn = process.store.txn.bind(process.store);
    process.store.txn = (one) => {
      if (one.writes.some((write) => write.kind === 'put' && write.key === '/a')) {
        sendings += 1;
        if (term instanceof LeaderTerm) term.end('the test');
      }
      return txn(one);
    };
    const theWrite = (one: { writes: readonly unknown[] }) => one.writes.length > 0;
    process.store.inject({ kind: 'dropRequest', operation: 'txn', times: 1, matching: theWrite });
    // Its key is given back at once, so that reading back settles it.
    await expect(rig.clock.runUntilSettled(term.commit(put('/a')))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(sendings).toBe(1);
    expect(rig.kv.entries('/a')).toEqual([]);
  });

  it('is not repeated once the deadline of its lease has passed, although the key is still ours in etcd', async () => {
    const { rig, process, term } = await leading();
    process.store.inject({ kind: 'refuse', operation: 'keepAlive', times: 10_000 });
    process.store.inject({ kind: 'refuse', operation: 'revokeLease', times: 10_000 });
    await rig.clock.advance(7_500);
    let sendings = 0;
    const theWrite = (one: { writes: readonly { readonly kind: string }[] }) => {
      const matches = one.writes.some(({ kind }) => kind === 'put');
      if (matches) sendings += 1;
      return matches && sendings === 1;
    };
    process.store.inject({ kind: 'dropRequest', operation: 'txn', times: 1, matching: theWrite });
    await expect(rig.clock.runUntilSettled(term.commit(put('/a')))).rejects.toMatchObject({
      code: 'STORE_OUTCOME_UNKNOWN',
    });
    expect(rig.kv.entries(KEYS.leader)[0]?.createRevision).toBe(term.number);
    expect([sendings, rig.kv.entries('/a')]).toEqual([1, []]);
  });

  it('costs one transaction when it is answered, and has nothing in it but what it was given', async () => {
    const { rig, process, term } = await leading();
    const sent: KvTxn[] = [];
    const txn = process.store.txn.bind(process.store);
    process.store.txn = (one) => {
      sent.push(one);
      return txn(one);
    };
    await rig.clock.runUntilSettled(term.commit(put('/a')));
    expect(sent.map(({ writes }) => writes)).toEqual([
      [{ kind: 'put', key: '/a', value: rig.kv.state.get('/a')?.value }],
    ]);
    expect(sent[0]?.compare).toEqual([
      { key: KEYS.leader, createRevision: term.number },
      { key: '/a', modRevision: 0 },
    ]);
  });

  it('is lost with its term when the leader key is gone by the time its lost reply is read back', async () => {
    const { rig, process, term } = await leading();
    process.store.breakWatches();
    process.store.inject({ kind: 'dropRequest', operation: 'txn' });
    const outcome = term.commit(put('/a')).catch((error: unknown) => error);
    rig.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.leader }] });
    expect(await rig.clock.runUntilSettled(outcome)).toMatchObject({ code: 'LEASE_LOST' });
    expect(term.signal.aborted).toBe(true);
    expect(rig.kv.entries('/a')).toEqual([]);
  });

  it('notices by itself that we were paused past the deadline, and sends nothing', async () => {
    const { rig, process, term } = await leading();
    process.clock.pause();
    await rig.clock.advance(9_000);
    const sent = process.store.applied.txn;
    expect(term.signal.aborted).toBe(false);
    await expect(term.commit(put('/a'))).rejects.toMatchObject({ code: 'LEASE_LOST' });
    expect(process.store.applied.txn).toBe(sent);
  });

  it('takes 119 keys beside the term and refuses one more: etcd would', async () => {
    const { rig, term } = await leading();
    const [first, ...rest] = Array.from({ length: 119 }, (_, index) => ({ key: `/k${index}`, record: {}, expect: 0 }));
    if (!first) throw new Error('none');
    const committed = await rig.clock.runUntilSettled(term.commit({ puts: [first, ...rest] }));
    expect(committed.kind).toBe('committed');
    const more = { key: '/more', record: {}, expect: 0 };
    await expect(rig.clock.runUntilSettled(term.commit({ puts: [more, first, ...rest] }))).rejects.toThrow(
      '121 operations in one commit, at most 120',
    );
    expect(rig.kv.entries('/more')).toEqual([]);
  });

  it('a reply that was lost is ours by its nonce only: another record under the key is a conflict', async () => {
    const { rig, process, term } = await leading();
    const txn = process.store.txn.bind(process.store);
    process.store.txn = (one) => {
      if (one.writes.some((write) => write.kind === 'put' && write.key === '/a'))
        rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/a', value: '{"writeId":"w-other"}' }] });
      return txn(one);
    };
    process.store.inject({ kind: 'dropRequest', operation: 'txn', times: 1 });
    const outcome = await rig.clock.runUntilSettled(term.commit(put('/a')));
    expect(outcome).toMatchObject({ kind: 'conflict' });
    expect(writeIdOf(rig.kv.entries('/a')[0] ?? null)).toBe('w-other');
  });
});

describe('a term', () => {
  it('is over for its first reason, and ends the commit of whoever finds another leader with that', async () => {
    const { term } = await leading();
    if (!(term instanceof LeaderTerm)) throw new Error('no term');
    const first = term.end('another coordinator leads');
    expect([term.end('closed'), String(term.signal.reason)]).toEqual([first, String(first)]);
    expect(String(first)).toContain(`term ${term.number} is over: another coordinator leads`);
  });

  it('is over from the beginning when its lease was lost before it began', async () => {
    const rig = new LeadershipRig();
    const process = rig.process('c1', 0);
    const keeper = await rig.clock.runUntilSettled(LeaseKeeper.grant(process.deps, TIMING));
    await rig.clock.runUntilSettled(keeper.close());
    const entry = { ...entryOf('{}'), createRevision: 9 };
    const term = new LeaderTerm({ deps: process.deps, keys: KEYS, coordinatorId: 'c1', keeper, entry });
    expect([term.signal.aborted, term.remainingMs(), term.holdsFor(0)]).toEqual([true, 0, false]);
    await expect(term.commit(put('/a'))).rejects.toMatchObject({ code: 'LEASE_LOST' });
  });

  it('says until when it is good: the deadline of the last good keepalive', async () => {
    const { rig, term } = await leading();
    if (!(term instanceof LeaderTerm)) throw new Error('no term');
    expect(term.validUntilMs - rig.clock.monotonicMs()).toBeCloseTo(term.remainingMs(), 6);
    await rig.clock.advance(5_000);
    expect(term.remainingMs()).toBeGreaterThan(6_000);
    expect(term.validUntilMs).toBe(rig.clock.monotonicMs() + term.remainingMs());
  });
});

describe('a session whose lease a write found gone', () => {
  async function held() {
    const rig = new LeadershipRig();
    const process = rig.process('c1', 1);
    const session = new Session(process.deps, TIMING);
    const told: (string | null)[] = [];
    const stop = session.onChange((leaseId) => told.push(leaseId));
    session.start();
    await rig.clock.advance(100);
    return { rig, session, told, stop, first: session.leaseId() ?? '' };
  }

  it('gets a new one at once, long before a keepalive would have told', async () => {
    const { rig, session, told, first } = await held();
    session.reportGone(first);
    await rig.clock.advance(20);
    expect(session.leaseId()).not.toBe(first);
    expect(told).toEqual([first, null, session.leaseId()]);
  });

  it('keeps the present one when an earlier one is reported', async () => {
    const { rig, session, told, first } = await held();
    session.reportGone('another');
    await rig.clock.advance(20);
    expect([session.leaseId(), told]).toEqual([first, [first]]);
  });

  it('tells nobody who does not listen any more', async () => {
    const { rig, session, told, stop, first } = await held();
    stop();
    session.reportGone(first);
    await rig.clock.advance(100);
    expect(told).toEqual([first]);
  });

  it('refuses times that do not fit together', () => {
    const { deps } = new LeadershipRig().process('c1');
    expect(() => new Session(deps, { ...TIMING, marginMs: 1 })).toThrow();
  });
});
