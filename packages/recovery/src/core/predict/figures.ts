import type { PlannedVolume } from '@understudy/shared';
import type { Duration } from './duration.ts';

/**
 * What EC2 needs for one thing. AWS publishes hardly any figure. Where there is none, `typicalMs`
 * is the middle of published measurements or of what is commonly seen, and `slowMs` their worst.
 */
export const EC2_TAKES = {
  /** A call that changes something, and the look that shows it. */
  call: { typicalMs: 500, slowMs: 5_000 },
  stopSkippingOs: { typicalMs: 10_000, slowMs: 60_000 },
  stopGracefully: { typicalMs: 28_000, slowMs: 240_000 },
  terminate: { typicalMs: 45_000, slowMs: 1_140_000 },
  /** RunInstances, with its slow reply. */
  runInstances: { typicalMs: 2_000, slowMs: 10_000 },
  /** From `pending` to `running`. */
  pending: { typicalMs: 6_000, slowMs: 30_000 },
  /** From `running` to the first heartbeat. */
  boot: { typicalMs: 15_000, slowMs: 120_000 },
  /** From the request to the first heartbeat; what does not answer is forced after 4 minutes. */
  reboot: { typicalMs: 35_000, slowMs: 300_000 },
  statusChecks: { typicalMs: 120_000, slowMs: 300_000 },
  registerImage: { typicalMs: 4_000, slowMs: 30_000 },
  networkInterface: { typicalMs: 1_500, slowMs: 10_000 },
  attachVolume: { typicalMs: 4_000, slowMs: 60_000 },
  /** Bare metal was seen to take 17 minutes. */
  detachVolume: { typicalMs: 4_000, slowMs: 1_020_000 },
  /** CopyVolumes: the copy can be used at once, and is filled in the background. */
  copyVolume: { typicalMs: 4_000, slowMs: 60_000 },
  /** Detached, seen free, and attached. */
  moveInterface: { typicalMs: 10_000, slowMs: 120_000 },
  moveAddress: { typicalMs: 3_000, slowMs: 30_000 },
} as const satisfies Record<string, Duration>;

/** The least that a snapshot takes, however little of the volume has changed. */
const SNAPSHOT_MIN_MS = 22_000;
/** What EC2 copies of a snapshot in a second is not published: 0.1 GiB is a cautious guess. */
const SNAPSHOT_MS_PER_GIB = 10_000;
/** What has changed since the snapshot before. */
const CHANGED_SHARE = 0.05;

/** What decides how long the snapshot of a volume takes. */
export interface CaptureFacts {
  /** A snapshot of it, or the one it was made from, is there: only what has changed is copied. */
  readonly hasBase: boolean;
}

/** From CreateSnapshots to `completed`. It is slow where everything has changed. */
export function snapshotTakes({ sizeGiB }: Pick<PlannedVolume, 'sizeGiB'>, { hasBase }: CaptureFacts): Duration {
  const takes = (gib: number): number => Math.max(SNAPSHOT_MIN_MS, gib * SNAPSHOT_MS_PER_GIB);
  return { typicalMs: takes(hasBase ? sizeGiB * CHANGED_SHARE : sizeGiB), slowMs: takes(sizeGiB) };
}

/** How long a volume made from a snapshot is slow; null: until each block was read once. */
export const initializationMs = (sizeGiB: number, rateMiBps: number | null): number | null =>
  rateMiBps === null ? null : Math.ceil((sizeGiB * 1_024 * 1_000) / rateMiBps);
