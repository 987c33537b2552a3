import type { Run } from '../run.ts';

/**
 * **S** (S32) What of that which the replacement is made of is not seen to be there, in words.
 * Null: all of it is: each snapshot complete, each volume off the old instance.
 */
export async function unsecured(run: Run): Promise<string | null> {
  const sources = run.strategy.launchSources(run, run.seams);
  if (!sources) return 'not every disk has a source yet';
  const made = sources.disks.map(({ source }) => source);
  const snapshotIds = made.flatMap((one) => (one.kind === 'snapshot' ? [one.snapshotId] : []));
  const volumeIds = made.flatMap((one) => (one.kind === 'volume' ? [one.volumeId ?? ''] : []));
  return (await snapshotsMissing(run, snapshotIds)) ?? volumesMissing(run, volumeIds);
}

async function snapshotsMissing(run: Run, ids: readonly string[]): Promise<string | null> {
  if (ids.length === 0) return null;
  const seen = await run.read((cloud, options) => cloud.describeSnapshots({ 'snapshot-id': ids }, options));
  const complete = new Set(seen.filter((one) => one.state === 'completed').map((one) => one.snapshotId));
  const missing = ids.filter((id) => !complete.has(id));
  return missing.length === 0 ? null : `${missing.join(', ')} is not shown as complete`;
}

async function volumesMissing(run: Run, ids: readonly string[]): Promise<string | null> {
  if (ids.length === 0) return null;
  const { oldInstanceId } = run.record;
  const seen = await run.read((cloud, options) => cloud.describeVolumes({ 'volume-id': ids }, options));
  const there = new Set(
    seen
      // A shared one has others that keep it; any other one is on nothing before its successor is.
      .filter(({ state, multiAttach }) => state === 'available' || (multiAttach && state === 'in-use'))
      .filter(({ attachments }) => !attachments.some((one) => one.instanceId === oldInstanceId))
      .map((one) => one.volumeId),
  );
  const missing = ids.filter((id) => !there.has(id));
  return missing.length === 0 ? null : `${missing.join(', ')} is not shown as free for its successor`;
}
