import { fractionOf } from './consistency.ts';
import { Ec2Error } from './ec2-error.ts';
import type { LatencyName } from './latency.ts';
import type { SimInitialization, SimVolume } from './model.ts';
import type { Region } from './region.ts';

const RATE_MIN_MIBPS = 100;
const RATE_MAX_MIBPS = 300;
const MIB_PER_GIB = 1_024;

export interface InitializationWish {
  readonly type: SimInitialization['type'];
  readonly volumeId: string;
  readonly sizeGiB: number;
  /** The snapshot that it is made from, and its zone: fast snapshot restore is of both. */
  readonly snapshot?: { readonly id: string | null; readonly az: string };
  /** MiB/s. Undefined: the default rate, of which AWS says no more than that it varies. */
  readonly rateMiBps: number | undefined;
  /** While seeding everything is long done. */
  readonly instant: boolean;
}

/** Without a draw from the Region's random numbers, so that it moves no other duration. */
function perGiBMs(region: Region, name: LatencyName, volumeId: string): number {
  const [minMs, maxMs] = region.latency.range(name);
  return minMs + fractionOf(volumeId) * (maxMs - minMs);
}

/** Volumes of a snapshot with fast snapshot restore come initialized (EBS user guide). */
const isFastRestored = (region: Region, { snapshot }: InitializationWish): boolean =>
  snapshot !== undefined && region.fastRestores.has(`${snapshot.az}/${snapshot.id}`);

function durationMs(region: Region, wish: InitializationWish): number {
  if (wish.instant || isFastRestored(region, wish)) return 0;
  if (wish.rateMiBps !== undefined) return (wish.sizeGiB * MIB_PER_GIB * 1_000) / wish.rateMiBps;
  const name = wish.type === 'volume-copy' ? 'volume.copy-initialize-per-gib' : 'volume.initialize-per-gib';
  return wish.sizeGiB * perGiBMs(region, name, wish.volumeId);
}

/** How the blocks of a new volume come (EBS user guide, Initialize volumes and Copy a volume). */
export const initializationOf = (region: Region, wish: InitializationWish): SimInitialization => ({
  type: wish.type === 'default' && wish.rateMiBps !== undefined ? 'provisioned-rate' : wish.type,
  rateMiBps: wish.rateMiBps ?? null,
  startedAtMs: region.nowMs,
  dueAtMs: region.nowMs + durationMs(region, wish) / region.latency.speed,
});

export const isInitializing = (one: SimInitialization | null, nowMs: number): boolean =>
  one !== null && nowMs < one.dueAtMs;

/** As long as its blocks take that are still to be fetched, and never longer than all are there. */
function firstReadsOf(region: Region, volume: SimVolume): number {
  const one = volume.initialization;
  // A volume copy is read at full speed while it is initialized (EBS user guide, Copy a volume).
  if (one === null || one.type === 'volume-copy' || !isInitializing(one, region.nowMs)) return 0;
  const leftMs = one.dueAtMs - region.nowMs;
  const leftGiB = (volume.sizeGiB * leftMs) / Math.max(1, one.dueAtMs - one.startedAtMs);
  const readMs = (leftGiB * perGiBMs(region, 'volume.first-read-per-gib', volume.id)) / region.latency.speed;
  return Math.min(leftMs, readMs);
}

/** How much longer a boot takes now, because it waits for blocks of its slowest volume, in ms. */
export const firstReadsMs = (region: Region, volumeIds: readonly string[]): number =>
  Math.max(0, ...volumeIds.flatMap((id) => region.volumes.get(id) ?? []).map((one) => firstReadsOf(region, one)));

/** What an event says of a boot that waits for blocks. */
export const slowBoot = (bootMs: number): { readonly firstReadsMs?: number } =>
  bootMs > 0 ? { firstReadsMs: bootMs } : {};

/** Whole percent. */
export function progressOf(one: SimInitialization, nowMs: number): number {
  if (!isInitializing(one, nowMs)) return 100;
  return Math.floor((100 * (nowMs - one.startedAtMs)) / Math.max(1, one.dueAtMs - one.startedAtMs));
}

/**
 * A rate that is asked for is given or the request fails. The code of a quota that is used up is
 * not documented.
 * @throws InvalidParameterValue, InvalidParameterCombination (nothing to fetch),
 * VolumeInitializationRateLimitExceeded
 */
export function checkRate(region: Region, rateMiBps: number | undefined, hasSnapshot: boolean): void {
  if (rateMiBps === undefined) return;
  if (!hasSnapshot) {
    throw new Ec2Error('InvalidParameterCombination', 'A volume initialization rate requires a snapshot.');
  }
  if (rateMiBps < RATE_MIN_MIBPS || rateMiBps > RATE_MAX_MIBPS) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `Volume initialization rate ${rateMiBps} is not between ${RATE_MIN_MIBPS} and ${RATE_MAX_MIBPS} MiB/s.`,
    );
  }
  const usedMiBps = region.volumes
    .all()
    .filter((one) => isInitializing(one.initialization, region.nowMs))
    .reduce((sum, one) => sum + (one.initialization?.rateMiBps ?? 0), 0);
  if (usedMiBps + rateMiBps <= region.quotas.initializationMiBps) return;
  throw new Ec2Error(
    'VolumeInitializationRateLimitExceeded',
    `The cumulative volume initialization rate of ${region.quotas.initializationMiBps} MiB/s is exceeded.`,
  );
}
