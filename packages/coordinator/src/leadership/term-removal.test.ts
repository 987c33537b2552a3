import { type CommitOutcome, keyspace, type KvStore, LeaderTerm, monotonicMs, type Term } from '@understudy/shared';
import { SeededRandom, SimClock, SimKv, TERM_REMOVAL_CONTRACT } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { LeadershipRig } from './leadership.fixtures.ts';

const ROOT = '/understudy/';

/** `leaseMs` says how long the lease still holds, each time it is asked. */
function lead(clock: SimClock, leaseMs: () => number = () => 8_000) {
  return async (store: KvStore): Promise<Term> => {
    const keys = keyspace(ROOT);
    const entry = await store.get(keys.leader);
    if (!entry) throw new Error('nobody was elected');
    const keeper = {
      leaseId: '1',
      signal: new AbortController().signal,
      validUntilMs: monotonicMs(0),
      remainingMs: leaseMs,
    };
    return new LeaderTerm({
      deps: { store, clock, random: new SeededRandom(1) },
      keys,
      coordinatorId: 'c1',
      keeper,
      entry,
    });
  };
}

describe('Term.remove on the simulated etcd', () => {
  for (const { name, run } of TERM_REMOVAL_CONTRACT)
    it(name, async () => {
      const clock = new SimClock();
      const store = new SimKv({ clock }).client('c1');
      await clock.runUntilSettled(run({ store, root: ROOT, lead: lead(clock) }));
    });
});

async function leading(leaseMs?: () => number) {
  const clock = new SimClock();
  const kv = new SimKv({ clock });
  const store = kv.client('c1');
  kv.apply({ compare: [], writes: [{ kind: 'put', key: keyspace(ROOT).leader, value: '{}' }] });
  kv.apply({ compare: [], writes: [{ kind: 'put', key: '/a', value: '{}' }] });
  const term = await clock.runUntilSettled(lead(clock, leaseMs)(store));
  const remove = (expectRevision: number): Promise<CommitOutcome> =>
    clock.runUntilSettled(term.remove([{ key: '/a', expect: expectRevision }]));
  return { kv, store, remove, revision: kv.revision };
}

it('a key that was not there when it was seen is not removed', async () => {
  const { remove } = await leading();
  await expect(remove(0)).rejects.toThrow('cannot delete /a at revision 0');
});

it('a lease that runs out while the answer is missing: not sent again', async () => {
  let leaseMs = 8_000;
  const { kv, store, remove, revision } = await leading(() => leaseMs);
  store.inject({
    kind: 'dropRequest',
    operation: 'txn',
    matching: ({ writes }) => {
      if (writes.length > 0) leaseMs = 0;
      return writes.length > 0;
    },
  });
  await expect(remove(revision)).rejects.toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN' });
  expect([store.fired.dropRequest, kv.entries('/a').length]).toEqual([1, 1]);
});

it('after the term nothing is sent any more', async () => {
  const rig = new LeadershipRig();
  const process = rig.process('c1', 0);
  const leadership = rig.leadership(process);
  await rig.clock.advance(100);
  const term = leadership.current();
  if (!term) throw new Error('c1 leads');
  rig.kv.apply({ compare: [], writes: [{ kind: 'put', key: '/a', value: '{}' }] });
  const { revision } = rig.kv;
  await rig.clock.runUntilSettled(leadership.resign());
  const sent = process.store.applied.txn;
  const late = rig.clock.runUntilSettled(term.remove([{ key: '/a', expect: revision }]));
  await expect(late).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(process.store.applied.txn).toBe(sent);
});
