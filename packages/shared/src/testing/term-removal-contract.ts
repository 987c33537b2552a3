import { hasCode, OperationError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { keyspace } from '../keyspace.ts';
import type { CommitOutcome, Term } from '../ports/term.ts';
import type { KvStore, KvTxn, KvTxnResult, Revision } from '../ports/kv-store.ts';

/** What a case needs. It is the same for `SimKv` and for real etcd. */
export interface TermRemovalEnv {
  readonly store: KvStore;
  /** Its own root, so that cases do not see each other. */
  readonly root: string;
  /** A term of `LeaderTerm` over `store`, for the leader key as it stands. Its lease holds. */
  lead(store: KvStore): Promise<Term>;
}

export interface TermRemovalCase {
  readonly name: string;
  run(env: TermRemovalEnv): Promise<void>;
}

type Loss =
  /** The transaction is applied, and the reply is lost. */
  | 'reply'
  /** The transaction never arrives. */
  | 'request'
  /** The transaction arrives when the case says so, long after the sender has given up. */
  | 'late';

/** Loses what it is told to lose, one transaction after the other. Reads back as the store does. */
class LossyStore {
  readonly sent: KvTxn[] = [];
  beforeReadBack: () => Promise<void> = async () => undefined;
  readonly #store: KvStore;
  readonly #losses: (Loss | null)[];
  #late: KvTxn | null = null;

  constructor(store: KvStore, losses: readonly (Loss | null)[]) {
    this.#store = store;
    this.#losses = [...losses];
  }

  get kv(): KvStore {
    return new Proxy(this.#store, {
      get: (target, name) => {
        if (name === 'txn') return (txn: KvTxn) => this.#txn(txn);
        const method: unknown = Reflect.get(target, name);
        return typeof method === 'function' ? method.bind(target) : method;
      },
    });
  }

  /** Delivers the transaction that was under way. */
  async landLate(): Promise<KvTxnResult> {
    invariant(this.#late !== null, 'something is under way');
    return this.#store.txn(this.#late);
  }

  async #txn(txn: KvTxn): Promise<KvTxnResult> {
    this.sent.push(txn);
    if (txn.writes.length === 0) await this.beforeReadBack();
    const loss = this.#losses.shift() ?? null;
    if (loss === null) return this.#store.txn(txn);
    if (loss === 'reply') await this.#store.txn(txn);
    if (loss === 'late') this.#late = txn;
    throw new OperationError('STORE_OUTCOME_UNKNOWN', 'no answer');
  }
}

const same = (actual: unknown, expected: unknown, what: string): void => {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  invariant(left === right, `${what}: got ${left}, want ${right}`);
};

/** One case under way: two records, and a leader with a term of its own. */
class Place {
  readonly keys: { readonly a: string; readonly b: string; readonly leader: string };
  readonly #store: KvStore;
  readonly #lead: TermRemovalEnv['lead'];

  constructor({ store, root, lead }: TermRemovalEnv) {
    this.#store = store;
    this.#lead = lead;
    this.keys = { a: `${root}a`, b: `${root}b`, leader: keyspace(root).leader };
  }

  async put(key: string, value = '{}'): Promise<Revision> {
    return (await this.#store.txn({ compare: [], writes: [{ kind: 'put', key, value }] })).revision;
  }

  async delete(key: string): Promise<Revision> {
    return (await this.#store.txn({ compare: [], writes: [{ kind: 'delete', key }] })).revision;
  }

  async has(key: string): Promise<boolean> {
    return (await this.#store.get(key)) !== null;
  }

  async revision(): Promise<Revision> {
    return (await this.#store.range(this.keys.leader)).revision;
  }

  /** Elects a leader: the leader key is new. */
  async elect(losses: readonly (Loss | null)[] = []): Promise<{ term: Term; lossy: LossyStore }> {
    await this.delete(this.keys.leader);
    await this.put(this.keys.leader);
    const lossy = new LossyStore(this.#store, losses);
    return { term: await this.#lead(lossy.kv), lossy };
  }
}

const codeOf = async (work: Promise<CommitOutcome>): Promise<CommitOutcome | string> =>
  work.catch((error: unknown) => {
    for (const code of ['LEASE_LOST', 'STORE_OUTCOME_UNKNOWN'] as const) if (hasCode(error, code)) return code;
    throw error;
  });

const kindOf = (outcome: CommitOutcome | string): string => (typeof outcome === 'string' ? outcome : outcome.kind);

/** What `Term.remove` promises. The cases that matter are those in which an answer is missing. */
export const TERM_REMOVAL_CONTRACT: readonly TermRemovalCase[] = [
  {
    name: 'removes all of it in one revision, and nothing else',
    run: async (env) => {
      const place = new Place(env);
      const { a, b } = place.keys;
      const [expectA, expectB] = [await place.put(a), await place.put(b)];
      await place.put(`${a}bove`);
      const { term } = await place.elect();
      const before = await place.revision();
      const outcome = await term.remove([
        { key: a, expect: expectA },
        { key: b, expect: expectB },
      ]);
      same(outcome, { kind: 'committed', revision: before + 1 }, 'outcome');
      same([await place.has(a), await place.has(b), await place.has(`${a}bove`)], [false, false, true], 'left');
    },
  },
  {
    name: 'one of two was written since: a conflict that shows both, and both stay',
    run: async (env) => {
      const place = new Place(env);
      const { a, b } = place.keys;
      const [expectA, expectB] = [await place.put(a), await place.put(b)];
      const { term } = await place.elect();
      await place.put(b, 'newer');
      const outcome = await term.remove([
        { key: a, expect: expectA },
        { key: b, expect: expectB },
      ]);
      same(outcome, { kind: 'conflict', entries: [await env.store.get(a), await env.store.get(b)] }, 'outcome');
      same([await place.has(a), await place.has(b)], [true, true], 'left');
    },
  },
  {
    name: 'somebody else removed it before: committed, it is not there',
    run: async (env) => {
      const place = new Place(env);
      const expect = await place.put(place.keys.a);
      const { term, lossy } = await place.elect();
      const goneAt = await place.delete(place.keys.a);
      same(await term.remove([{ key: place.keys.a, expect }]), { kind: 'committed', revision: goneAt }, 'outcome');
      same(lossy.sent.length, 1, 'transactions');
    },
  },
  {
    name: 'somebody else removed one of two: a conflict, and the other one stays',
    run: async (env) => {
      const place = new Place(env);
      const { a, b } = place.keys;
      const [expectA, expectB] = [await place.put(a), await place.put(b)];
      const { term } = await place.elect();
      await place.delete(a);
      const outcome = await term.remove([
        { key: a, expect: expectA },
        { key: b, expect: expectB },
      ]);
      same([kindOf(outcome), await place.has(b)], ['conflict', true], 'outcome');
    },
  },
  {
    name: 'reply lost: read back as gone, sent once, and the revision is one at which it is gone',
    run: async (env) => {
      const place = new Place(env);
      const expect = await place.put(place.keys.a);
      const { term, lossy } = await place.elect(['reply']);
      const before = await place.revision();
      const outcome = await term.remove([{ key: place.keys.a, expect }]);
      same(outcome, { kind: 'committed', revision: before + 1 }, 'outcome');
      same(lossy.sent.filter((txn) => txn.writes.length > 0).length, 1, 'sendings');
    },
  },
  {
    name: 'reply lost, and the key was made anew before it is read back: a conflict, and the new one stays',
    run: async (env) => {
      const place = new Place(env);
      const { a } = place.keys;
      const expect = await place.put(a);
      const { term, lossy } = await place.elect(['reply']);
      lossy.beforeReadBack = async () => void (await place.put(a, 'anew'));
      const outcome = await term.remove([{ key: a, expect }]);
      same([kindOf(outcome), (await env.store.get(a))?.value], ['conflict', 'anew'], 'outcome');
    },
  },
  {
    name: 'request lost: it is still there, so the same transaction goes again and removes it',
    run: async (env) => {
      const place = new Place(env);
      const expect = await place.put(place.keys.a);
      const { term, lossy } = await place.elect(['request']);
      same(kindOf(await term.remove([{ key: place.keys.a, expect }])), 'committed', 'outcome');
      const [first, , second] = lossy.sent;
      same(second, first, 'sent again');
      same(await place.has(place.keys.a), false, 'left');
    },
  },
  {
    name: 'request late, landing after it was repeated and the key was made anew: the new one stays',
    run: async (env) => {
      const place = new Place(env);
      const { a } = place.keys;
      const expect = await place.put(a);
      const { term, lossy } = await place.elect(['late']);
      same(kindOf(await term.remove([{ key: a, expect }])), 'committed', 'outcome');
      await place.put(a, 'anew');
      same((await lossy.landLate()).succeeded, false, 'the late one');
      same((await env.store.get(a))?.value, 'anew', 'left');
    },
  },
  {
    name: 'request late, landing after a successor took over: LEASE_LOST, and it stays',
    run: async (env) => {
      const place = new Place(env);
      const { a } = place.keys;
      const expect = await place.put(a);
      const { term, lossy } = await place.elect(['late']);
      await place.elect();
      same(await codeOf(term.remove([{ key: a, expect }])), 'LEASE_LOST', 'outcome');
      same([(await lossy.landLate()).succeeded, await place.has(a)], [false, true], 'the late one');
    },
  },
  {
    name: 'another one leads: LEASE_LOST, nothing removed, and the term is over',
    run: async (env) => {
      const place = new Place(env);
      const expect = await place.put(place.keys.a);
      const { term } = await place.elect();
      await place.elect();
      same(await codeOf(term.remove([{ key: place.keys.a, expect }])), 'LEASE_LOST', 'outcome');
      same([term.signal.aborted, await place.has(place.keys.a)], [true, true], 'left');
    },
  },
  {
    name: 'another one leads and it is gone: LEASE_LOST all the same, for the term is over',
    run: async (env) => {
      const place = new Place(env);
      const expect = await place.put(place.keys.a);
      const { term } = await place.elect();
      await place.delete(place.keys.a);
      await place.elect();
      same(await codeOf(term.remove([{ key: place.keys.a, expect }])), 'LEASE_LOST', 'outcome');
    },
  },
  {
    name: 'reply lost, and reading back is not answered either: unknown, and said so',
    run: async (env) => {
      const place = new Place(env);
      const expect = await place.put(place.keys.a);
      const { term } = await place.elect(['reply', 'request']);
      same(await codeOf(term.remove([{ key: place.keys.a, expect }])), 'STORE_OUTCOME_UNKNOWN', 'outcome');
    },
  },
];
