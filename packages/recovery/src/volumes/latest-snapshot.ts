import { olderContentText } from '../core/paths/path-text.ts';
import type { VolumePath } from '../strategy.ts';

/**
 * The disk comes back as an earlier snapshot has it, which the plan names. Nothing is taken from
 * the old instance, and nothing is made: the snapshot is somebody else's, and stays. The launch
 * waits for the fence as ever.
 */
export const latestSnapshotPath: VolumePath = {
  name: 'latest-snapshot',
  level: 2,
  takes: ({ path }) => path === 'latest-snapshot',
  steps: () => [],
  sourceOf: (_state, { from }) => (from ? { kind: 'snapshot', snapshotId: from.snapshotId } : null),
  predictedLoss: (volume) => ({ code: 'WritesSinceSnapshotLost', text: olderContentText(volume) }),
  artefacts: () => [],
};
