import type { Clock } from '../ports/clock.ts';
import type { CommitOutcome, GuardedDelete } from '../ports/term.ts';
import { hasCode, OperationError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import type { KvCompare, KvEntry, KvStore, KvTxn, KvTxnResult, KvWrite, LeaseId, Revision } from '../ports/kv-store.ts';
import type { Random } from '../ports/random.ts';
import { serializeRecord } from '../records/record.ts';

export interface StampDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly writtenBy: string;
}

/** A fresh nonce. A record written with it is recognised when it is read back. */
export const newWriteId = (random: Random): string => `w-${random.hex(12)}`;

/** The record as it goes into etcd. The stamp wins over fields of the same name. */
export function stampRecord(record: object, writeId: string, deps: StampDeps): string {
  const stamp = { schemaVersion: 1, writeId, writtenBy: deps.writtenBy, writtenAtWallMs: deps.clock.wallMs() };
  return serializeRecord({ ...record, ...stamp });
}

/** The nonce of the entry's writer. Null when it is not one of our records. */
export function writeIdOf(entry: KvEntry | null): string | null {
  if (!entry) return null;
  try {
    const json: unknown = JSON.parse(entry.value);
    if (typeof json !== 'object' || json === null || !('writeId' in json)) return null;
    return typeof json.writeId === 'string' ? json.writeId : null;
  } catch {
    return null;
  }
}

export interface StampedPut {
  readonly key: string;
  readonly value: string;
  readonly expect: Revision;
  readonly leaseId?: LeaseId;
}

/**
 * One compare-and-swap transaction, ready to be sent any number of times with the same effect as
 * once.
 */
export interface PreparedCommit {
  /** Nonce inside every put's value. Null: nothing is put. */
  readonly writeId: string | null;
  readonly puts: readonly StampedPut[];
  /** Each exists, at the revision it was seen at: `expect` > 0. */
  readonly deletes: readonly GuardedDelete[];
  readonly deletePrefixes: readonly string[];
  readonly also: readonly KvCompare[];
  /** The compare of the term. */
  readonly guard: KvCompare | null;
}

export type GuardedOutcome = CommitOutcome | { readonly kind: 'guardFailed' };

/** etcd's default `--max-txn-ops` is 128. */
const OPERATIONS_MAX = 120;
/**
 * The first sending included. Each further one follows only after reading back that nothing
 * changed.
 */
const SENDINGS_MAX = 3;
/** No key ever gets this old. A transaction comparing it reads, atomically, and writes nothing. */
const NEVER: Revision = Number.MAX_SAFE_INTEGER;

const comparesOf = (commit: PreparedCommit): KvCompare[] => [
  ...[...commit.puts, ...commit.deletes].map(({ key, expect }) => ({ key, modRevision: expect })),
  ...commit.also,
];

const holds = (compare: KvCompare, entry: KvEntry | null): boolean =>
  'createRevision' in compare
    ? (entry?.createRevision ?? 0) === compare.createRevision
    : (entry?.modRevision ?? 0) === compare.modRevision;

function txnOf(commit: PreparedCommit): KvTxn & { readonly elseGet: readonly string[] } {
  const compares = comparesOf(commit);
  const compare = commit.guard ? [commit.guard, ...compares] : compares;
  const writes: KvWrite[] = [
    ...commit.puts.map(({ expect: _, ...put }) => ({ kind: 'put' as const, ...put })),
    ...commit.deletes.map(({ key }) => ({ kind: 'delete' as const, key })),
    ...commit.deletePrefixes.map((prefix) => ({ kind: 'deletePrefix' as const, prefix })),
  ];
  const operations = Math.max(compare.length, writes.length);
  invariant(operations <= OPERATIONS_MAX, `${operations} operations in one commit, at most ${OPERATIONS_MAX}`);
  return { compare, writes, elseGet: compare.map(({ key }) => key) };
}

/** What one transaction read of everything a commit compares, and the store's revision then. */
type Sight = Pick<KvTxnResult, 'elseEntries' | 'revision'>;

/**
 * What the entries that were read say about our transaction. `unsettled`: every compare still
 * holds, so it may yet be applied. A removal has no nonce to find. It is done when nothing of what
 * it deletes exists; {@link Term.remove} says why that is safe to believe.
 */
function judge(
  commit: PreparedCommit,
  { elseEntries: seen, revision }: Sight,
): GuardedOutcome | { readonly kind: 'unsettled' } {
  const guardEntry = commit.guard ? (seen[0] ?? null) : null;
  const entries = commit.guard ? seen.slice(1) : seen;
  const first = entries[0] ?? null;
  // The nonce is new, so no entry that a removal finds under its key has it.
  if (first && commit.writeId !== null && writeIdOf(first) === commit.writeId)
    return { kind: 'committed', revision: first.modRevision };
  if (commit.guard && !holds(commit.guard, guardEntry)) return { kind: 'guardFailed' };
  if (commit.writeId === null && commit.deletes.every((_, index) => entries[index] === null))
    return { kind: 'committed', revision };
  const untouched = comparesOf(commit).every((compare, index) => holds(compare, entries[index] ?? null));
  return untouched ? { kind: 'unsettled' } : { kind: 'conflict', entries };
}

/**
 * Sends the transaction and finds out its outcome. A lost reply is resolved by reading back, in one
 * transaction, everything it compares. Our nonce there means committed, and so does the absence of
 * everything that a removal deletes. A compare that fails now means that it was not applied and
 * never will be. When all compares still hold it may yet arrive. Then the identical transaction is
 * sent again (while `mayRepeat`), which settles it, because only one of the two can find its
 * compares true.
 * @throws STORE_UNAVAILABLE, STORE_REJECTED when it was certainly not applied;
 * STORE_OUTCOME_UNKNOWN when even reading back failed.
 */
export async function commitGuarded(
  store: KvStore,
  commit: PreparedCommit,
  mayRepeat: () => boolean,
): Promise<GuardedOutcome> {
  const txn = txnOf(commit);
  let unknown: unknown = null;
  for (let sending = 1; sending <= SENDINGS_MAX; sending += 1) {
    const sent = await send(store, txn, unknown !== null);
    if ('result' in sent) {
      if (sent.result.succeeded) return { kind: 'committed', revision: sent.result.revision };
      return settled(judge(commit, sent.result));
    }
    unknown = sent.unknown;
    const judged = judge(commit, await readBack(store, txn.elseGet, unknown));
    if (judged.kind !== 'unsettled') return judged;
    if (!mayRepeat()) break;
  }
  throw new OperationError('STORE_OUTCOME_UNKNOWN', 'the write is not there, and may still arrive', { cause: unknown });
}

/** Sends once. A failure that is certain for this sending says nothing about an earlier one. */
async function send(
  store: KvStore,
  txn: KvTxn,
  earlierUnknown: boolean,
): Promise<{ result: KvTxnResult } | { unknown: unknown }> {
  try {
    return { result: await store.txn(txn) };
  } catch (error) {
    if (!earlierUnknown && !hasCode(error, 'STORE_OUTCOME_UNKNOWN')) throw error;
    return { unknown: error };
  }
}

async function readBack(store: KvStore, keys: readonly string[], cause: unknown): Promise<Sight> {
  const anyKey = keys[0];
  invariant(anyKey !== undefined, 'a commit compares at least one key');
  try {
    return await store.txn({ compare: [{ key: anyKey, modRevision: NEVER }], writes: [], elseGet: keys });
  } catch {
    throw new OperationError('STORE_OUTCOME_UNKNOWN', 'the reply was lost and reading back failed too', { cause });
  }
}

/**
 * The store refused the transaction for a compare, so one of them failed, whatever the entries look
 * like.
 */
const settled = (judged: ReturnType<typeof judge>): GuardedOutcome => {
  invariant(judged.kind !== 'unsettled', 'the store refused a transaction whose compares all hold');
  return judged;
};
