import { NEWEST_EPOCH_MAX, type WallMs } from '@understudy/shared';

/**
 * `stateDir/state.json`: what outlives the agent process. Nothing in it about serving is believed.
 */
export interface StoredState {
  readonly instanceId: string;
  readonly bootEpoch: bigint;
}

export interface BootDecision {
  readonly bootEpoch: bigint;
  /**
   * True when the stored state was written on another instance. Then this disk is a restored copy,
   * and everything beside the state file is the predecessor's.
   */
  readonly restoredDisk: boolean;
}

/**
 * max(stored + 1, wall seconds). It strictly increases per key as long as either the file or the
 * clock is good. That holds on a restored disk too, because predecessor and replacement share the
 * member's key.
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
 * First sequence number of a boot epoch. Two starts within one second may share the epoch, where it
 * could not be stored or is stored in two places. The milliseconds of that second keep their
 * sequences apart, so that an ack of one is never taken for an ack of the other, and the agent that
 * is behind is told.
 */
export const firstSequence = (wallMs: WallMs): bigint => (BigInt(Math.floor(wallMs)) % 1000n) * 1_048_576n + 1n;

/**
 * The epoch to go on with when a coordinator knows a newer one than ours: greater than every one
 * known. Null: there is none, because the newest is as great as can be told.
 */
export function nextEpoch(own: bigint, newestKnown: bigint): bigint | null {
  if (newestKnown >= NEWEST_EPOCH_MAX) return null;
  return (own > newestKnown ? own : newestKnown) + 1n;
}
