import { LEVEL_OF } from '@understudy/shared';
import { stepId } from '../core/step-id.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import { DETACH } from '../steps/volume-records.ts';
import type { VolumePath } from '../strategy.ts';
import { volumesOn } from './volume-paths.ts';

/**
 * The volume itself moves: taken off the fenced instance, put on its replacement. Nothing is copied
 * and nothing is lost, and the old instance keeps nothing to serve with. In its own zone only.
 */
export const reattachPath: VolumePath = {
  name: 'reattach',
  level: LEVEL_OF.volumePaths,
  takes: ({ path }) => path === 'reattach',
  makesVolumes: true,
  /** **S** (S4, S27) Nothing is taken off before the old instance is proven unable to write. */
  steps: (plan) => {
    const moved = volumesOn('reattach', plan);
    const idsOf = (isRoot: boolean) => moved.filter((one) => one.isRoot === isRoot).map((one) => one.volumeId);
    // **S** (S27, S28) An instance without its root cannot be started. So the root goes first: a
    // start that lands between a look and a detachment has no machine running that loses a disk.
    const first = idsOf(true).map((id) => stepId(DETACH.name, id));
    return [
      { step: DETACH, items: idsOf(true), needs: () => ['fence'] },
      { step: DETACH, items: idsOf(false), needs: () => ['fence', ...first] },
    ];
  },
  sourceOf: (_state, { volumeId }) => ({ kind: 'volume', volumeId }),
  predictedLoss: () => null,
  artefacts: () => [],
};

/** What came with a seed: taken off it, marked, and used by nobody. */
export const seedDiskLeftover: LeftoverKind = {
  kind: 'seed-disk',
  order: 4,
  text: () => 'disk that came with the replacement before it got the member’s',
  leftAs: (ids) => `volumes ${ids.join(', ')} that came with a replacement, kept for a while`,
  remove: (cloud, id, options) => cloud.deleteVolume(id, options),
};
