import { NEWEST_EPOCH_MAX, type WallMs } from '@understudy/shared';

/**
 * `stateDir/state.json`: what outlives the agent process. Nothing in it is believed about serving.
 */
export interface StoredState {
  readonly instanceId: string;
  readonly bootEpoch: bigint;
}

export interface BootDecision {
  readonly bootEpoch: bigint;
  /**
   * The stored state was written on another instance: this disk is a restored copy, everything
   * beside the state file is the predecessor's.
   */
  readonly restoredDisk: boolean;
}

/**
 * max(stored + 1, wall seconds): strictly increasing per key as long as either the file or the
 * clock is good, also on a restored disk, because predecessor and replacement share the member's
 * key.
 */
export function decideBoot(stored: StoredState | null, instanceId: string, wallMs: WallMs): BootDecision {
  const wallSeconds = BigInt(Math.max(0, Math.floor(wallMs / 1000)));
  const afterStored = stored === null ? 0n : stored.bootEpoch + 1n;
  return {
    bootEpoch: afterStored > wallSeconds ? afterStored : wallSeconds,
    restoredDisk: stored !== null && stored.instanceId !== instanceId,
  };
}

/**
 * First sequence number of a boot epoch. Two starts within one second may share it, where the epoch
 * could not be stored or is stored in two places: the milliseconds of that second keep their
 * sequences apart, so that an ack of the one is never taken for one of the other, and whoever is
 * behind is told.
 */
export const firstSequence = (wallMs: WallMs): bigint => (BigInt(Math.floor(wallMs)) % 1000n) * 1_048_576n + 1n;

/**
 * The epoch to go on with when a coordinator knows a newer one than ours: greater than every one
 * known. Null: there is none to be had, because the newest is as great as can be told.
 */
export function nextEpoch(own: bigint, newestKnown: bigint): bigint | null {
  if (newestKnown >= NEWEST_EPOCH_MAX) return null;
  return (own > newestKnown ? own : newestKnown) + 1n;
}
