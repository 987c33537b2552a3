import type { HistoryRecord, PlannedRecord, PlannedTargets, RecoveryPlan } from '@understudy/shared';
import { recordItem } from './record-move.ts';
import { stepId } from './step-id.ts';
import { targetItem } from './target-move.ts';

type Owed = Pick<HistoryRecord, 'owedRecords' | 'owedTargets'>;
type Names = Pick<RecoveryPlan, 'records' | 'targets'>;

/** Values and registrations that may pile up while replacements fail; more is a mistake. */
const OWED_MAX = 64;

/**
 * Records and target groups of a recovery that were not moved before its replacement failed.
 * Whoever closes it hands them to the next one: they name instances that this member has retired,
 * and nothing of the failed replacement would lead to them.
 */
export function owedNamesOf(
  { records = [], targets = [] }: Names,
  isDone: (step: string) => boolean,
): { readonly owed: Owed; readonly texts: readonly string[] } {
  const owedRecords = records.filter((one) => !isDone(stepId('record', recordItem(one))));
  const owedTargets = targets.filter((one) => !isDone(stepId('target', targetItem(one))));
  return {
    owed: {
      ...(owedRecords.length > 0 && { owedRecords }),
      ...(owedTargets.length > 0 && { owedTargets }),
    },
    texts: [
      ...owedRecords.map((one) => `record ${one.name}`),
      ...owedTargets.map((one) => `target group ${targetItem(one)}`),
    ],
  };
}

const unique = <T>(all: readonly T[], keyOf: (one: T) => string): T[] =>
  [...new Map(all.map((one) => [keyOf(one), one])).values()].slice(0, OWED_MAX);

/** Both of them, by their keys; what both have is put together. */
function merged<T>(
  planned: readonly T[],
  owed: readonly T[],
  itemOf: (one: T) => string,
  join: (fresh: T, owed: T) => T,
): T[] {
  const byItem = new Map(planned.map((one) => [itemOf(one), one]));
  for (const one of owed) {
    const known = byItem.get(itemOf(one));
    byItem.set(itemOf(one), known ? join(known, one) : one);
  }
  return [...byItem.values()];
}

const joinRecords = (fresh: PlannedRecord, owed: PlannedRecord): PlannedRecord => ({
  ...{ ...fresh, values: unique([...fresh.values, ...owed.values], (one) => one.value) },
});

const joinTargets = (fresh: PlannedTargets, owed: PlannedTargets): PlannedTargets => ({
  ...{ ...fresh, targets: unique([...fresh.targets, ...owed.targets], (one) => `${one.id}:${one.port}`) },
});

/** The names of a plan with what the recovery before it left undone. Nothing: as before. */
export function withOwedNames({ records = [], targets = [] }: Names, before: Owed): Names {
  const { owedRecords = [], owedTargets = [] } = before;
  const allRecords = merged(records, owedRecords, recordItem, joinRecords);
  const allTargets = merged(targets, owedTargets, targetItem, joinTargets);
  return {
    ...(allRecords.length > 0 && { records: allRecords }),
    ...(allTargets.length > 0 && { targets: allTargets }),
  };
}
