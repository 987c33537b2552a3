import { hasCode, isOperationError } from '../errors.ts';
import type { KvEvent, KvStore, KvWatchHandlers, LeaseId, Revision } from '../ports/kv-store.ts';

/** What a case needs beside the store. It is the same for `SimKv` and for real etcd. */
export interface KvContractEnv {
  readonly store: KvStore;
  /** A second connection to the same store. */
  readonly other: KvStore;
  /** Own key prefix, so that cases do not see each other. */
  readonly prefix: string;
  /** Waits (simulated or real time) until `condition`, or throws after about 10 s. */
  until(condition: () => boolean, what: string): Promise<void>;
  /** Lets time pass. */
  pass(durationMs: number): Promise<void>;
  /** Compacts the history before and at `revision`. */
  compact(revision: Revision): Promise<void>;
}

export interface KvContractCase {
  readonly name: string;
  run(env: KvContractEnv): Promise<void>;
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: got ${left}, want ${right}`);
}

async function expectCode(work: Promise<unknown>, code: 'STORE_REJECTED', upstreamCode?: string): Promise<void> {
  const error = await work.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!hasCode(error, code)) throw new Error(`want ${code}, got ${String(error)}`);
  if (upstreamCode !== undefined && isOperationError(error))
    expectEqual(error.upstreamCode, upstreamCode, 'upstreamCode');
}

const put = (key: string, value: string, leaseId?: LeaseId) =>
  ({ kind: 'put', key, value, ...(leaseId === undefined ? {} : { leaseId }) }) as const;

async function putOne(store: KvStore, key: string, value: string, leaseId?: LeaseId): Promise<Revision> {
  const result = await store.txn({ compare: [], writes: [put(key, value, leaseId)] });
  expectEqual(result.succeeded, true, `unconditional put of ${key}`);
  return result.revision;
}

const told = (event: KvEvent): string =>
  event.kind === 'put' ? `${event.entry.key}=${event.entry.value}` : `-${event.key}`;

/** Collects what a watch delivers. */
class Watched implements KvWatchHandlers {
  readonly events: KvEvent[] = [];
  readonly batches: { readonly revision: Revision; readonly modRevisions: readonly Revision[] }[] = [];
  compacted = 0;
  progress: Revision = 0;

  onEvents(events: readonly KvEvent[], revision: Revision): void {
    this.events.push(...events);
    const modRevisions = events.map((event) => (event.kind === 'put' ? event.entry.modRevision : event.modRevision));
    this.batches.push({ revision, modRevisions });
  }

  onCompacted(): void {
    this.compacted += 1;
  }

  onProgress(revision: Revision): void {
    this.progress = Math.max(this.progress, revision);
  }

  told(prefix: string): string[] {
    return this.events.map((event) => told(event).replace(prefix, ''));
  }
}

const readsAndWrites: readonly KvContractCase[] = [
  {
    name: 'an absent key reads as null and compares as revision 0',
    async run({ store, prefix }) {
      expectEqual(await store.get(`${prefix}a`), null, 'get');
      const both = await store.txn({
        compare: [
          { key: `${prefix}a`, createRevision: 0 },
          { key: `${prefix}a`, modRevision: 0 },
        ],
        writes: [put(`${prefix}a`, '1')],
      });
      expectEqual(both.succeeded, true, 'succeeded');
      const entry = await store.get(`${prefix}a`);
      expectEqual(
        entry,
        { key: `${prefix}a`, value: '1', createRevision: both.revision, modRevision: both.revision, leaseId: null },
        'entry',
      );
    },
  },
  {
    name: 'an overwrite keeps the create-revision; a delete ends it',
    async run({ store, prefix }) {
      const created = await putOne(store, `${prefix}a`, '1');
      const changed = await putOne(store, `${prefix}a`, '2');
      const entry = await store.get(`${prefix}a`);
      expectEqual([entry?.createRevision, entry?.modRevision], [created, changed], 'revisions');
      await store.txn({ compare: [], writes: [{ kind: 'delete', key: `${prefix}a` }] });
      const again = await putOne(store, `${prefix}a`, '3');
      expectEqual((await store.get(`${prefix}a`))?.createRevision, again, 'create-revision of the new life');
    },
  },
  {
    name: 'a refused transaction writes nothing and shows what it lost to, in order',
    async run({ store, prefix }) {
      const revision = await putOne(store, `${prefix}a`, '1');
      const refused = await store.txn({
        compare: [{ key: `${prefix}a`, modRevision: revision - 1 }],
        writes: [put(`${prefix}a`, '2'), put(`${prefix}b`, '2')],
        elseGet: [`${prefix}b`, `${prefix}a`],
      });
      expectEqual(refused.succeeded, false, 'succeeded');
      expectEqual(
        refused.elseEntries.map((entry) => entry?.value ?? null),
        [null, '1'],
        'elseEntries',
      );
      expectEqual(await store.get(`${prefix}b`), null, 'nothing written');
    },
  },
  {
    name: 'a transaction that only reads in its else-branch changes no revision',
    async run({ store, prefix }) {
      await putOne(store, `${prefix}a`, '1');
      const before = await store.range(prefix);
      const never = { key: `${prefix}a`, modRevision: Number.MAX_SAFE_INTEGER };
      const read = await store.txn({ compare: [never], writes: [], elseGet: [`${prefix}a`, `${prefix}x`] });
      expectEqual(
        read.elseEntries.map((entry) => entry?.value ?? null),
        ['1', null],
        'entries',
      );
      expectEqual((await store.range(prefix)).revision, before.revision, 'revision');
    },
  },
  {
    name: 'all puts of one transaction share its revision; the other connection sees them at once',
    async run({ store, other, prefix }) {
      const { revision } = await store.txn({ compare: [], writes: [put(`${prefix}a`, '1'), put(`${prefix}b`, '2')] });
      const range = await other.range(prefix);
      expectEqual(
        range.entries.map((entry) => [entry.key.replace(prefix, ''), entry.modRevision]),
        [
          ['a', revision],
          ['b', revision],
        ],
        'entries',
      );
    },
  },
  {
    name: 'a range is sorted by key and keeps to its prefix',
    async run({ store, prefix }) {
      for (const key of ['b/2', 'b/10', 'a/1', 'c/1']) await putOne(store, prefix + key, key);
      const range = await store.range(`${prefix}b/`);
      expectEqual(
        range.entries.map((entry) => entry.value),
        ['b/10', 'b/2'],
        'values',
      );
    },
  },
  {
    name: 'deletePrefix removes what is under it and nothing else',
    async run({ store, prefix }) {
      for (const key of ['j/1', 'j/2', 'k/1']) await putOne(store, prefix + key, key);
      await store.txn({
        compare: [],
        writes: [{ kind: 'deletePrefix', prefix: `${prefix}j/` }, put(`${prefix}h`, 'h')],
      });
      const left = (await store.range(prefix)).entries.map((entry) => entry.value);
      expectEqual(left, ['h', 'k/1'], 'left');
    },
  },
  {
    name: 'one key twice in a transaction is rejected, and nothing is written',
    async run({ store, prefix }) {
      await expectCode(
        store.txn({ compare: [], writes: [put(`${prefix}a`, '1'), put(`${prefix}a`, '2')] }),
        'STORE_REJECTED',
      );
      await expectCode(
        store.txn({ compare: [], writes: [put(`${prefix}a`, '1'), { kind: 'deletePrefix', prefix }] }),
        'STORE_REJECTED',
      );
      expectEqual(await store.get(`${prefix}a`), null, 'nothing written');
    },
  },
  {
    name: 'of two rivals that create one key exactly one wins',
    async run({ store, other, prefix }) {
      const create = (at: KvStore, value: string) =>
        at.txn({ compare: [{ key: `${prefix}a`, createRevision: 0 }], writes: [put(`${prefix}a`, value)] });
      const results = await Promise.all([create(store, '1'), create(other, '2')]);
      expectEqual(results.filter((result) => result.succeeded).length, 1, 'winners');
    },
  },
  {
    name: 'text beyond ASCII comes back unchanged',
    async run({ store, prefix }) {
      await putOne(store, `${prefix}ü`, 'größer 漢字 🚑');
      expectEqual((await store.get(`${prefix}ü`))?.value, 'größer 漢字 🚑', 'value');
    },
  },
];

const leases: readonly KvContractCase[] = [
  {
    name: 'a lease grants at least what was asked, and is kept alive',
    async run({ store }) {
      const lease = await store.grantLease(5000);
      if (lease.ttlMs < 5000) throw new Error(`granted ${lease.ttlMs} < 5000`);
      expectEqual((await store.keepAlive(lease.leaseId))?.ttlMs, lease.ttlMs, 'renewed');
      await store.revokeLease(lease.leaseId);
    },
  },
  {
    name: 'a very short TTL is granted longer',
    async run({ store }) {
      const lease = await store.grantLease(1000);
      if (lease.ttlMs < 2000) throw new Error(`granted ${lease.ttlMs} < 2000`);
      await store.revokeLease(lease.leaseId);
    },
  },
  {
    name: 'revoking deletes the keys; a revoked lease keeps nothing alive and revokes again without complaint',
    async run({ store, prefix }) {
      const { leaseId } = await store.grantLease(5000);
      await putOne(store, `${prefix}a`, '1', leaseId);
      expectEqual((await store.get(`${prefix}a`))?.leaseId, leaseId, 'leaseId');
      await store.revokeLease(leaseId);
      expectEqual(await store.get(`${prefix}a`), null, 'key');
      expectEqual(await store.keepAlive(leaseId), null, 'keepAlive');
      await store.revokeLease(leaseId);
    },
  },
  {
    name: 'a put under a lease that is gone is rejected as such, and nothing is written',
    async run({ store, prefix }) {
      const { leaseId } = await store.grantLease(5000);
      await store.revokeLease(leaseId);
      const dead = store.txn({ compare: [], writes: [put(`${prefix}b`, '1'), put(`${prefix}a`, '1', leaseId)] });
      await expectCode(dead, 'STORE_REJECTED', 'LEASE_NOT_FOUND');
      expectEqual(await store.get(`${prefix}b`), null, 'nothing written');
    },
  },
  {
    name: 'a put without a lease takes the key off its lease',
    async run({ store, prefix }) {
      const { leaseId } = await store.grantLease(5000);
      await putOne(store, `${prefix}a`, '1', leaseId);
      await putOne(store, `${prefix}a`, '2');
      await store.revokeLease(leaseId);
      expectEqual((await store.get(`${prefix}a`))?.value, '2', 'value');
    },
  },
  {
    name: 'a lease nobody keeps alive ends, and its keys with it',
    async run({ store, prefix, until, pass }) {
      const { leaseId, ttlMs } = await store.grantLease(2000);
      await putOne(store, `${prefix}a`, '1', leaseId);
      const watched = new Watched();
      const { revision } = await store.range(prefix);
      const watch = store.watch(prefix, revision + 1, watched);
      await pass(ttlMs);
      await until(() => watched.events.length > 0, 'the delete event of the expired key');
      watch.cancel();
      expectEqual(watched.told(prefix), ['-a'], 'events');
      expectEqual(await store.keepAlive(leaseId), null, 'keepAlive');
    },
  },
];

const watches: readonly KvContractCase[] = [
  {
    name: 'a watch replays from its revision, inclusive, then follows',
    async run({ store, other, prefix, until }) {
      await putOne(store, `${prefix}a`, '0');
      const from = await putOne(store, `${prefix}a`, '1');
      await putOne(store, `${prefix}b`, '2');
      const watched = new Watched();
      const watch = store.watch(prefix, from, watched);
      await until(() => watched.events.length >= 2, 'the replayed events');
      await other.txn({ compare: [], writes: [{ kind: 'delete', key: `${prefix}a` }] });
      await until(() => watched.events.length >= 3, 'the live event');
      watch.cancel();
      expectEqual(watched.told(prefix), ['a=1', 'b=2', '-a'], 'events');
    },
  },
  {
    name: 'a watch keeps to its prefix',
    async run({ store, prefix, until }) {
      const watched = new Watched();
      const { revision } = await store.range(prefix);
      const watch = store.watch(`${prefix}x/`, revision + 1, watched);
      await putOne(store, `${prefix}x`, '0');
      await putOne(store, `${prefix}x/1`, '1');
      await putOne(store, `${prefix}y/1`, '2');
      await putOne(store, `${prefix}x/2`, '3');
      await until(() => watched.events.length >= 2, 'two events');
      watch.cancel();
      expectEqual(watched.told(prefix), ['x/1=1', 'x/2=3'], 'events');
    },
  },
  {
    name: 'the events of one revision come in one batch, named by its revision',
    async run({ store, prefix, until }) {
      const watched = new Watched();
      const from = await putOne(store, `${prefix}0`, '0');
      const watch = store.watch(prefix, from + 1, watched);
      const keys = Array.from({ length: 40 }, (_, index) => `${prefix}k${index}`);
      const { revision } = await store.txn({ compare: [], writes: keys.map((key) => put(key, 'v'.repeat(1000))) });
      await until(() => watched.events.length >= 40, '40 events');
      watch.cancel();
      const batches = watched.batches.filter((batch) => batch.modRevisions.includes(revision));
      expectEqual(batches.length, 1, 'batches with this revision');
      expectEqual(batches[0]?.modRevisions.length, 40, 'events in it');
      expectEqual(batches[0]?.revision, revision, 'its revision');
    },
  },
  {
    name: 'a watch from compacted history says so, once, and ends',
    async run({ store, prefix, until, compact, pass }) {
      const from = await putOne(store, `${prefix}a`, '1');
      for (const value of ['2', '3', '4']) await putOne(store, `${prefix}a`, value);
      await compact(from + 2);
      const watched = new Watched();
      store.watch(prefix, from, watched);
      await until(() => watched.compacted > 0, 'onCompacted');
      await putOne(store, `${prefix}a`, '5');
      await pass(300);
      expectEqual([watched.compacted, watched.events.length], [1, 0], 'compacted, events');
    },
  },
  {
    name: 'list at R, watch from R + 1: no gap and no repetition, also after a compaction at R',
    async run({ store, prefix, until, compact }) {
      await putOne(store, `${prefix}a`, '1');
      const { revision } = await store.range(prefix);
      await compact(revision);
      await putOne(store, `${prefix}b`, '2');
      const watched = new Watched();
      const watch = store.watch(prefix, revision + 1, watched);
      await until(() => watched.events.length > 0, 'the event');
      watch.cancel();
      expectEqual(watched.told(prefix), ['b=2'], 'events');
    },
  },
  {
    name: 'progress tells how far the watch is, also when only other keys change',
    async run({ store, prefix, until }) {
      const watched = new Watched();
      const from = await putOne(store, `${prefix}x/1`, '1');
      const watch = store.watch(`${prefix}x/`, from + 1, watched);
      const elsewhere = await putOne(store, `${prefix}y/1`, '1');
      await until(() => watched.progress >= elsewhere, `progress to ${elsewhere}`);
      watch.cancel();
      expectEqual(watched.events.length, 0, 'events');
    },
  },
  {
    name: 'a cancelled watch calls nobody any more, and cancels again without complaint',
    async run({ store, prefix, pass }) {
      const watched = new Watched();
      const from = await putOne(store, `${prefix}a`, '1');
      const watch = store.watch(prefix, from, watched);
      watch.cancel();
      watch.cancel();
      await putOne(store, `${prefix}a`, '2');
      await pass(300);
      expectEqual([watched.events.length, watched.progress], [0, 0], 'events, progress');
    },
  },
  {
    name: 'what was compacted away is not remembered any more, what came after is',
    async run({ store, prefix, compact }) {
      await store.txn({ compare: [], writes: [{ kind: 'put', key: `${prefix}a`, value: '1' }] });
      const { revision } = await store.range(prefix);
      await store.txn({ compare: [], writes: [{ kind: 'put', key: `${prefix}a`, value: '2' }] });
      const remembers = (at: number) => store.remembers(`${prefix}a`, at);
      const before = await remembers(revision);
      await compact(revision + 1);
      const after = [await remembers(revision), await remembers(revision + 1)];
      expectEqual([before, ...after], [true, false, true], 'before, after, the newest');
    },
  },
  {
    name: 'the server tells its version',
    async run({ store }) {
      const versions = await store.serverVersions();
      if (!versions.every((version) => /^\d+\.\d+\.\d+/.test(version)) || versions.length === 0)
        throw new Error(`versions: ${versions.join(', ')}`);
    },
  },
  {
    name: 'a server that is well raises no alarm',
    async run({ store }) {
      expectEqual(await store.alarms(), [], 'alarms');
    },
  },
  {
    name: 'a transaction whose compare cannot hold puts nothing, and costs no revision',
    async run({ store, prefix }) {
      const before = await putOne(store, `${prefix}a`, '1');
      const never = { key: `${prefix}a`, modRevision: Number.MAX_SAFE_INTEGER };
      const result = await store.txn({ compare: [never], writes: [{ kind: 'put', key: `${prefix}b`, value: '' }] });
      expectEqual([result.succeeded, result.revision], [false, before], 'succeeded, revision');
      expectEqual(await store.get(`${prefix}b`), null, 'what it would have put');
    },
  },
];

/** Every `KvStore` has to pass all of them. */
export const KV_STORE_CONTRACT: readonly KvContractCase[] = [...readsAndWrites, ...leases, ...watches];
