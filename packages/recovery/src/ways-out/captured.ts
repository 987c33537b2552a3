import type { Run } from '../run.ts';
import { CAPTURE } from '../steps/capture-records.ts';

/** A set of snapshots is recorded: from then on it is what the replacement's disks are made of. */
export function isCaptured({ journal }: Run): boolean {
  const capture = journal.get(CAPTURE);
  return capture?.state === 'done' || (capture?.noted?.set ?? null) !== null;
}
