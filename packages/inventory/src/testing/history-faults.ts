import type { SqlReads } from '../store/sql.ts';
import { momentIn, numberIn } from '../store/version-rows.ts';

interface Row {
  readonly name: string;
  readonly from: number;
  /** Null: the current one. */
  readonly to: number | null;
  readonly lastSeen: number | null;
  readonly end: unknown;
  readonly digest: unknown;
}

/**
 * What no history may have, whoever wrote it and was ended in the middle of it: a version that ends
 * before it begins, two that were valid at once, the same one twice, and a change that leads to
 * nothing. Empty: it has none.
 */
export async function historyFaults(sql: SqlReads): Promise<readonly string[]> {
  const rows = await sql.all(
    'SELECT kind, id, valid_from, valid_to, last_seen, end_reason, digest FROM inventory_versions ORDER BY kind, id, valid_from',
  );
  const versions = rows.map(
    (row): Row => ({
      ...{ name: `${String(row.kind)} ${String(row.id)}`, from: numberIn(row.valid_from), to: momentIn(row.valid_to) },
      ...{ lastSeen: momentIn(row.last_seen), end: row.end_reason, digest: row.digest },
    }),
  );
  return versions.flatMap((one, at) => {
    const next = versions[at + 1];
    return [...faultsOf(one), ...faultsBetween(one, next?.name === one.name ? next : null)].map(
      (fault) => `${one.name}, ${one.from}-${one.to ?? ''}: ${fault}`,
    );
  });
}

function faultsOf({ from, to, lastSeen, end }: Row): readonly string[] {
  const faults: string[] = [];
  if (to !== null && to <= from) faults.push('ends before it begins');
  if ((to === null) !== (end === null)) faults.push('has an end without a time, or a time without an end');
  if (to !== null && lastSeen === null) faults.push('has ended, and nobody knows when it was last seen');
  if (lastSeen !== null && (lastSeen < from || (to !== null && lastSeen >= to)))
    faults.push(`was last seen at ${lastSeen}, when it was not`);
  return faults;
}

/** `next`: of the same resource. Null: there is none. */
function faultsBetween({ to, end, digest }: Row, next: Row | null): readonly string[] {
  if (next === null) return end === 'changed' ? ['has changed, and into what is missing'] : [];
  if (to === null || next.from < to) return ['is not over when the next one begins'];
  if (end === 'changed' && next.from > to) return ['has changed, and what it was then is missing'];
  return next.from === to && next.digest === digest ? ['is there twice'] : [];
}
