import type { LeftoverKind } from '../leftover-kind.ts';

/** The instance a recovery has retired: `judgeRetired` says what may be done with it. */
export const instanceLeftover: LeftoverKind = {
  kind: 'instance',
  order: 0,
  text: () => 'the replaced instance, kept stopped',
};

/** A data volume that outlives the retired instance: `judgeKeptVolume` says what may be done. */
export const volumeLeftover: LeftoverKind = {
  kind: 'volume',
  order: 4,
  text: ({ oldInstanceId }) => `data volume ${oldInstanceId} leaves behind`,
};
