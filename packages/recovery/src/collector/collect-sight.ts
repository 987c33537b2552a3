import {
  type Cloud,
  type CloudInstance,
  type CloudVolume,
  errorText,
  isOperationError,
  type Log,
  type Term,
} from '@understudy/shared';
import { choreVolumeId } from '../core/chores.ts';
import type { HistoryEntry } from './books.ts';

/**
 * What one pass saw in EC2 of all that is on the books. `null`: it could not be read, which says
 * nothing about what is there.
 */
export interface CollectSight {
  readonly instances: ReadonlyMap<string, CloudInstance> | null;
  readonly volumes: ReadonlyMap<string, CloudVolume> | null;
}

/** @throws LEASE_LOST only; what EC2 does not answer is null, each by itself. */
export async function lookAtBooks(
  cloud: Cloud,
  term: Term,
  entries: readonly HistoryEntry[],
  log: Log,
): Promise<CollectSight> {
  const records = entries.map((entry) => entry.record);
  const chores = records.flatMap((record) => record.owed.map((one) => one.chore));
  const leftovers = records.flatMap((record) => record.leftovers);
  const instanceIds = new Set([
    ...leftovers.filter((one) => one.kind === 'instance').map((one) => one.id),
    ...chores.map((chore) => chore.instanceId),
  ]);
  // All of them, however many: one that was not asked for would pass for one that is gone. The
  // adapter asks in portions.
  const instances = await readAll(log, instanceIds, async (ids) => {
    const found = await cloud.describeInstances({ 'instance-id': ids }, { signal: term.signal, urgency: 'chore' });
    return new Map(found.map((one) => [one.instanceId, one]));
  });
  const choreVolumes = chores.flatMap((chore) => choreVolumeId(chore, instances?.get(chore.instanceId) ?? null) ?? []);
  const volumeIds = new Set([
    ...leftovers.filter((one) => one.kind === 'volume').map((one) => one.id),
    ...choreVolumes,
  ]);
  const volumes = await readAll(log, volumeIds, async (ids) => {
    const found = await cloud.describeVolumes({ 'volume-id': ids }, { signal: term.signal, urgency: 'chore' });
    return new Map(found.map((one) => [one.volumeId, one]));
  });
  return { instances, volumes };
}

async function readAll<T>(
  log: Log,
  ids: ReadonlySet<string>,
  read: (ids: string[]) => Promise<ReadonlyMap<string, T>>,
): Promise<ReadonlyMap<string, T> | null> {
  if (ids.size === 0) return new Map();
  try {
    return await read([...ids]);
  } catch (error) {
    if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
    // Not seen is not gone: without this read nothing of its kind is judged in this pass.
    log.warn('collector.describe_failed', { error: errorText(error) });
    return null;
  }
}
