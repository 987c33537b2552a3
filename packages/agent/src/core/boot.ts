import type { WallMs } from '@understudy/shared';

/** `stateDir/state.json`: what outlives the agent process. Nothing in it is believed about serving. */
export interface StoredState {
  readonly instanceId: string;
  readonly bootEpoch: bigint;
}

export interface BootDecision {
  readonly bootEpoch: bigint;
  /** The stored state was written on another instance: this disk is a restored copy, everything beside the state file is the predecessor's. */
  readonly restoredDisk: boolean;
}

/**
 * max(stored + 1, wall seconds): strictly increasing per key as long as either the file or the clock is good, also on a restored disk, because
 * predecessor and replacement share the member's key.
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
 * First sequence number of a boot epoch. When the epoch could not be stored, two starts within one second would share it: the milliseconds
 * of that second keep their sequences apart, so that an ack of the earlier start is never taken for one of ours.
 */
export function firstSequence(epochStored: boolean, wallMs: WallMs): bigint {
  return epochStored ? 1n : (BigInt(Math.floor(wallMs)) % 1000n) * 1_048_576n + 1n;
}
