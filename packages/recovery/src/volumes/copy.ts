import { TAG, LEVEL_OF } from '@understudy/shared';
import type { LeftoverKind } from '../leftover-kind.ts';
import { ACTIVATE } from '../steps/activate-record.ts';
import { COPY } from '../steps/volume-records.ts';
import type { RecoveryState, VolumePath } from '../strategy.ts';
import { volumesOn } from './volume-paths.ts';

/** The copy, as far as the journal knows it; null: not made yet. */
function copyOf({ journal }: RecoveryState, volumeId: string): string | null {
  const record = journal.get(COPY, volumeId);
  return record?.result?.volumeId ?? record?.noted?.volumeId ?? null;
}

/**
 * A copy within the zone, made after the fence. The original stays with the old instance, for
 * forensics and undo, for as long as that is retained.
 */
export const copyPath: VolumePath = {
  name: 'copy',
  level: LEVEL_OF.volumePaths,
  takes: ({ path }) => path === 'copy',
  makesVolumes: true,
  /** **S** (S4, S29) Nothing is copied before the old instance is proven unable to write. */
  steps: (plan) => [
    { step: COPY, items: volumesOn('copy', plan).map((volume) => volume.volumeId), needs: () => ['fence'] },
  ],
  sourceOf: (state, { volumeId }) => ({ kind: 'volume', volumeId: copyOf(state, volumeId) }),
  predictedLoss: () => null,
  /** **S** Once the replacement may serve from them they are its own disks, no leftovers. */
  artefacts: (state) =>
    state.journal.get(ACTIVATE)?.state === 'done'
      ? []
      : volumesOn('copy', state.plan).flatMap(({ volumeId }) => {
          const id = copyOf(state, volumeId);
          return id === null ? [] : [{ kind: copyLeftover.kind, id }];
        }),
};

/** A copy that no replacement has served from. */
export const copyLeftover: LeftoverKind = {
  kind: 'volume-copy',
  order: 4,
  text: () => 'copy of a disk, which no replacement has served from',
  leftAs: (ids) => `copies ${ids.join(', ')} of its volumes, kept for a while`,
  remove: async (cloud, id, options) => {
    // The mark is what the role may remove it by.
    await cloud.createTags([id], { [TAG.retiredBy]: 'copy' }, options);
    await cloud.deleteVolume(id, options);
  },
};
