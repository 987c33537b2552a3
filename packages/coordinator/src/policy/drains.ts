import type { DrainRecord, WallMs } from '@understudy/shared';

/** True while the drain is in force. Its end is no longer part of it. */
export const isDrainInForce = ({ untilWallMs }: Pick<DrainRecord, 'untilWallMs'>, nowWallMs: WallMs): boolean =>
  untilWallMs === null || untilWallMs > nowWallMs;

interface Drains {
  readonly root: string;
  readonly drains: ReadonlyMap<string, { readonly record: DrainRecord }>;
  readonly unreadable: ReadonlyMap<string, unknown>;
}

/**
 * Coordinators that are drained at this wall time. One whose drain cannot be read is: it is safer
 * that one accuses nobody.
 */
export function drainedAt({ drains, unreadable, root }: Drains, nowWallMs: WallMs): ReadonlySet<string> {
  const area = `${root}drains/`;
  const read = [...drains].filter(([, { record }]) => isDrainInForce(record, nowWallMs)).map(([id]) => id);
  const unread = [...unreadable.keys()].filter((key) => key.startsWith(area)).map((key) => key.slice(area.length));
  return new Set([...read, ...unread]);
}
