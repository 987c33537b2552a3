import { hasCode } from '@understudy/shared';
import { differences, type FieldChange } from './core/diff.ts';
import { type Named, namedIn } from './core/related.ts';
import type { Version } from './core/version.ts';
import type { InventoryHistory } from './history.ts';

/** A recovery, as far as its forensic record asks for it. */
export interface RecoveredInstance {
  readonly oldInstanceId: string;
  /** Null: there is none. The same as the old one where that was mended in place. */
  readonly newInstanceId: string | null;
  readonly startedAtWallMs: number;
}

/** What became of something that the old instance consisted of, or used. */
export interface ResourceFate extends Named {
  /** `unknown`: no crawl had seen it before the recovery. */
  readonly fate: 'kept' | 'changed' | 'gone' | 'unknown';
  /** The instance that takes its place names it, too. */
  readonly isCarried: boolean;
  readonly fields: readonly FieldChange[];
}

/** What was there before a recovery, what is there now, and what was lost. */
export interface ForensicRecord {
  /** The old instance as it was last seen before the recovery began. */
  readonly before: Version;
  /** The instance that takes its place, as it is now. Null: it is not known, or gone. */
  readonly now: Version | null;
  /** What the one has differently from the other. Empty while `now` is not known. */
  readonly fields: readonly FieldChange[];
  readonly resources: readonly ResourceFate[];
  /** Those resources that are gone, and those that nobody carries on. */
  readonly lost: readonly Named[];
}

/** More than any instance names. It bounds the questions. */
const RESOURCES_MAX = 200;
/** What many instances have in common. It is not lost with one of them. */
const COMMON: ReadonlySet<string> = new Set(['image', 'security-group', 'subnet']);

/** Null: it was not there then, or was never seen. */
async function versionOrNull(
  history: InventoryHistory,
  { kind, id }: Named,
  atWallMs: number | null,
): Promise<Version | null> {
  try {
    return await history.version(kind, id, atWallMs);
  } catch (error) {
    if (hasCode(error, 'INVENTORY_GONE') || hasCode(error, 'INVENTORY_UNKNOWN')) return null;
    throw error;
  }
}

async function fateOf(
  history: InventoryHistory,
  named: Named,
  { startedAtWallMs }: RecoveredInstance,
  carried: ReadonlySet<string>,
): Promise<ResourceFate> {
  const before = await versionOrNull(history, named, startedAtWallMs);
  const now = await versionOrNull(history, named, null);
  const isCarried = carried.has(named.id);
  if (before === null) return { ...named, fate: 'unknown', isCarried, fields: [] };
  if (now === null) return { ...named, fate: 'gone', isCarried: false, fields: [] };
  const fields = differences(before.document, now.document);
  return { ...named, fate: fields.length === 0 ? 'kept' : 'changed', isCarried, fields };
}

/** Elastic IP addresses are not named by the instance: they name it. */
async function addressesOf(
  history: InventoryHistory,
  { oldInstanceId, startedAtWallMs }: RecoveredInstance,
): Promise<readonly Named[]> {
  const where = [{ path: ['InstanceId'], operator: '=', value: oldInstanceId } as const];
  const span = { kind: 'at', atWallMs: startedAtWallMs } as const;
  const { versions } = await history.versions({ kind: 'address', id: null, span, where, after: null, limit: 50 });
  return versions.map(({ kind, id }) => ({ kind, id }));
}

const idsOf = (version: Version | null): ReadonlySet<string> =>
  new Set(version === null ? [] : namedIn(version.document).map(({ id }) => id));

/**
 * The forensic record of a recovery, as far as crawls have seen it: as exact as they are often.
 * @throws INVENTORY_UNKNOWN, INVENTORY_GONE: no crawl saw the old instance before the recovery.
 */
export async function forensicRecord(history: InventoryHistory, recovery: RecoveredInstance): Promise<ForensicRecord> {
  const { oldInstanceId, newInstanceId, startedAtWallMs } = recovery;
  const before = await history.version('instance', oldInstanceId, startedAtWallMs);
  const now =
    newInstanceId === null ? null : await versionOrNull(history, { kind: 'instance', id: newInstanceId }, null);
  const named = [...namedIn(before.document), ...(await addressesOf(history, recovery))].filter(
    ({ id }) => id !== oldInstanceId,
  );
  const addresses = new Set(
    now === null
      ? []
      : (
          await addressesOf(history, { ...recovery, oldInstanceId: now.id, startedAtWallMs: Number.MAX_SAFE_INTEGER })
        ).map(({ id }) => id),
  );
  const carried = new Set([...idsOf(now), ...addresses]);
  const resources: ResourceFate[] = [];
  for (const one of named.slice(0, RESOURCES_MAX)) resources.push(await fateOf(history, one, recovery, carried));
  const lost = resources.filter(
    ({ kind, fate, isCarried }) => fate === 'gone' || (now !== null && !isCarried && !COMMON.has(kind)),
  );
  return {
    ...{ before, now, resources },
    fields: now === null ? [] : differences(before.document, now.document),
    lost: lost.map(({ kind, id }) => ({ kind, id })),
  };
}
