import type { Run } from '../run.ts';

/** A set of snapshots is recorded: from then on it is what the replacement's disks are made of. */
export function isCaptured({ journal }: Run): boolean {
  const capture = journal.get('capture', 'capture');
  return capture?.state === 'done' || (capture?.noted?.set ?? null) !== null;
}
