import { type PlannedVolume, LEVEL_OF } from '@understudy/shared';
import { DETACH } from '../steps/volume-records.ts';
import type { VolumePath } from '../strategy.ts';
import { volumesOn } from './volume-paths.ts';

/** What storage can tell of who may write: io2 has NVMe reservations, io1 has none. */
const reservationText = ({ volumeType }: PlannedVolume): string =>
  volumeType === 'io2'
    ? 'an NVMe reservation that the old instance held is not taken over: the successor registers anew, and preempts it'
    : 'its type has no NVMe reservations: nothing but the fence keeps the old instance from writing';

/**
 * A volume that several instances may write to: taken off the fenced instance and put on the
 * successor, while the others keep it. **S** (S29) It is never copied: a copy would be a second
 * truth beside the one that the others write to.
 */
export const multiAttachPath: VolumePath = {
  name: 'multi-attach',
  level: LEVEL_OF.volumePaths,
  takes: ({ path }) => path === 'multi-attach',
  makesVolumes: true,
  steps: (plan) => [
    { step: DETACH, items: volumesOn('multi-attach', plan).map((volume) => volume.volumeId), needs: () => ['fence'] },
  ],
  sourceOf: (_state, { volumeId }) => ({ kind: 'volume', volumeId }),
  predictedLoss: (volume) => ({
    code: 'ReservationsNotCarried',
    text: `${volume.volumeId} (${volume.deviceName}) is a Multi-Attach volume: ${reservationText(volume)}`,
  }),
  artefacts: () => [],
};
