import type { StepRow } from '../core/step-table.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import { CAPTURE } from '../steps/capture-records.ts';
import type { RecoveryState, VolumePath } from '../strategy.ts';

/** Snapshots outlive the images that stand on them. */
export const snapshotLeftover: LeftoverKind = {
  kind: 'snapshot',
  order: 3,
  text: () => 'snapshot the replacement was made from',
  leftAs: (ids) => `snapshots ${ids.join(', ')} of its volumes, kept for a while`,
  remove: (cloud, id, options) => cloud.deleteSnapshot(id, options),
};

/** **S** Nothing is captured before the old instance is proven unable to write. */
const CAPTURED: StepRow = { step: CAPTURE, needs: () => ['fence'] };

/** Recorded as canonical; also while it is being completed. */
function snapshotsOf({ journal }: RecoveryState): readonly { readonly snapshotId: string }[] {
  const capture = journal.get(CAPTURE);
  return capture?.result?.snapshots ?? capture?.noted?.set?.snapshots ?? [];
}

/** One crash-consistent set of snapshots of all attached volumes, taken after the fence. */
export const snapshotPath: VolumePath = {
  name: 'snapshot',
  takes: ({ path }) => path === undefined,
  steps: () => [CAPTURED],
  beside: ({ journal }) => journal.get(CAPTURE)?.result?.beside ?? [],
  sourceOf: ({ journal }, { volumeId }) => {
    const made = journal.get(CAPTURE)?.result?.snapshots.find((one) => one.volumeId === volumeId);
    return made ? { kind: 'snapshot', snapshotId: made.snapshotId } : null;
  },
  predictedLoss: () => null,
  artefacts: (state) => snapshotsOf(state).map(({ snapshotId }) => ({ kind: snapshotLeftover.kind, id: snapshotId })),
};
