import {
  groupOf,
  type GuardedWrite,
  type Keyspace,
  type PreparationRecord,
  type PreparedRecord,
  type SpendPolicy,
  type Unwritten,
  unwritten,
  type WallMs,
} from '@understudy/shared';
import { amountOf } from '@understudy/recovery';
import type { ClusterRecords, Stored } from '../store/cluster-records.ts';

const DAY_MS = 86_400_000;
/**
 * How long the name of a preparation is kept that has gone, for what lands later still. AWS takes
 * nothing by then; these are for clocks that are far off, and for whoever stands between us and AWS
 * and keeps a call.
 */
const GONE_KEPT_MS = 30 * DAY_MS;
/** Some 25 KiB of a record. */
const GONE_KEPT_MAX = 500;

type Ledgers = Pick<ClusterRecords, 'prepared'>;

const isOfToday = (atWallMs: number, nowWallMs: number): boolean => atWallMs > nowWallMs - DAY_MS;

/** When preparations of the group were begun in the last 24 hours. */
export const begunToday = ({ prepared }: Ledgers, group: string, nowWallMs: number): readonly number[] =>
  (prepared.get(group)?.record.begunAtWallMs ?? []).filter((atWallMs) => isOfToday(atWallMs, nowWallMs));

const costsOfToday = ({ costs = [] }: Pick<PreparedRecord, 'costs'>, nowWallMs: number) =>
  costs.filter(({ atWallMs }) => isOfToday(atWallMs, nowWallMs));

/** The most that preparations which were begun in the last 24 hours can cost. */
export function spentToday({ prepared }: Ledgers, group: string, nowWallMs: number): number {
  const today = costsOfToday(prepared.get(group)?.record ?? {}, nowWallMs);
  return amountOf(today.reduce((sum, { most }) => sum + most, 0));
}

/** The groups that have a preparation with a price in the last 24 hours, with their sums. */
export const spentByGroup = (records: Ledgers, nowWallMs: number): ReadonlyMap<string, number> =>
  new Map(
    [...records.prepared]
      .filter(([, { record }]) => costsOfToday(record, nowWallMs).length > 0)
      .map(([group]) => [group, spentToday(records, group, nowWallMs)]),
  );

/** Why a preparation of this price is too much; null: it is not. Pure. */
export function overSpend({ perDay }: Pick<SpendPolicy, 'perDay'>, spent: number, most: number): string | null {
  if (amountOf(spent + most) <= perDay) return null;
  return `it can cost ${most}, and ${spent} of ${perDay} are spent in 24 h in the group (recover.prepare.spend.perDay)`;
}

/** The ledger of a group as it stands now, without what is over. */
function ledgerOf(records: Ledgers, group: string, nowWallMs: number): Unwritten<PreparedRecord> {
  const stored = records.prepared.get(group)?.record;
  if (stored === undefined) return { group, begunAtWallMs: [] };
  const { costs, ...rest } = unwritten(stored);
  const today = costsOfToday(stored, nowWallMs);
  return {
    ...rest,
    begunAtWallMs: [...begunToday(records, group, nowWallMs)],
    ...(costs !== undefined && today.length > 0 && { costs: today }),
  };
}

/** The ledger once another preparation is begun. `most`: what it can cost; null: no prices. */
export function withBegun(
  records: Ledgers,
  { group, nowWallMs, most }: { readonly group: string; readonly nowWallMs: number; readonly most: number | null },
): Unwritten<PreparedRecord> {
  const ledger = ledgerOf(records, group, nowWallMs);
  return {
    ...ledger,
    begunAtWallMs: [...ledger.begunAtWallMs, nowWallMs],
    ...(most !== null && { costs: [...(ledger.costs ?? []), { atWallMs: nowWallMs, most }] }),
  };
}

/**
 * The write by which a preparation is over of which nothing is there: its name is kept, so that the
 * collector takes what carries it from now on for what it is. Synchronous; changes nothing.
 */
export function forgetting(
  records: Pick<ClusterRecords, 'prepared' | 'journals'>,
  { keys, nowWallMs }: { readonly keys: Keyspace; readonly nowWallMs: WallMs },
  { record: { opId, member }, modRevision }: Stored<PreparationRecord>,
): GuardedWrite {
  const group = groupOf(member);
  const ledger = ledgerOf(records, group, nowWallMs);
  const kept = (ledger.gone ?? []).filter((one) => one.opId !== opId && one.atWallMs > nowWallMs - GONE_KEPT_MS);
  const gone = [...kept, { opId, atWallMs: nowWallMs }].slice(-GONE_KEPT_MAX);
  const expect = records.prepared.get(group)?.modRevision ?? 0;
  return {
    puts: [{ key: keys.preparedIn(group), expect, record: { ...ledger, gone } }],
    deletes: [
      { key: keys.preparation(opId), expect: modRevision },
      ...[...(records.journals.get(opId) ?? [])].map(([step, own]) => ({
        ...{ key: keys.journalStep(opId, step), expect: own.modRevision },
      })),
    ],
  };
}
