import { VOLUME_PATHS, type VolumePathName, type VolumesPolicy } from '@understudy/shared';
import { type Duration, inTurn, NO_TIME, roughly } from '../predict/duration.ts';
import { EC2_TAKES, snapshotTakes } from '../predict/figures.ts';
import type { DiskFacts, PathScene } from './disk-facts.ts';

/** Paths that take a disk, which cannot be named in a launch: a seed is stopped, and gets it. */
export const SEEDED: ReadonlySet<string> = new Set<VolumePathName>(['reattach', 'copy', 'multi-attach']);

/** What the seed costs beside the disks: it is stopped, and started again. */
export const SEED_TAKES: Duration = inTurn(EC2_TAKES.stopSkippingOs, EC2_TAKES.pending);

/** How good the content is, the best first. */
export type Worth = 'complete' | 'older' | 'uncertain';
export const WORTHS: readonly Worth[] = ['complete', 'older', 'uncertain'];

/** One path that a disk could take, or why not. */
export type PathOption = { readonly path: VolumePathName } & (
  | { readonly possible: true; readonly takes: Duration; readonly worth: Worth }
  | { readonly possible: false; readonly why: string }
);

const wishOf = <T>(wishes: Readonly<Record<string, T>>, { planned }: DiskFacts): T | undefined =>
  wishes[planned.volumeId] ?? wishes[planned.deviceName] ?? wishes.all;

export const pinOf = (disk: DiskFacts, { pin }: VolumesPolicy): VolumePathName | null => wishOf(pin, disk) ?? null;

/** A launch elsewhere could not have the disk. */
function zoneObstacle(disk: DiskFacts, scene: PathScene, path: VolumePathName): string | null {
  const inside = scene.candidates.filter((one) => one.az === disk.az).length;
  if (inside === 0) return `no placement is in ${disk.az}, where it is`;
  const wanted = scene.staysInZone || disk.isShared || pinOf(disk, scene.policy) === path;
  return wanted || inside === scene.candidates.length ? null : `placements outside ${disk.az} could not be used`;
}

const reachObstacle = ({ unreachable, zoneLost, az }: DiskFacts): string | null =>
  unreachable ?? (zoneLost ? `${az} is lost` : null);

const SHARED = 'it is a Multi-Attach volume: a second copy of it would be a second truth';

function olderObstacle({ older, isShared }: DiskFacts, { policy, nowWallMs }: PathScene): string | null {
  if (isShared) return SHARED;
  if (policy.maxDataLossMs === null) return 'the group accepts no loss of data (recover.volumes.maxDataLossMs)';
  if (older === null)
    return policy.mixedMoments
      ? 'no complete snapshot of it is there'
      : 'no complete snapshots of all disks of one moment are there';
  if (nowWallMs === null) return 'how old its snapshot is is not known';
  const ageMs = nowWallMs - older.startedAtWallMs;
  if (ageMs <= policy.maxDataLossMs) return null;
  return `${older.snapshotId} is ${roughly(ageMs)} old, and the group accepts a loss of ${roughly(policy.maxDataLossMs)}`;
}

const OBSTACLES: Readonly<Record<VolumePathName, (disk: DiskFacts, scene: PathScene) => string | null>> = {
  reattach: (disk, scene) =>
    (disk.isShared ? SHARED : null) ?? reachObstacle(disk) ?? zoneObstacle(disk, scene, 'reattach'),
  copy: (disk, scene) => (disk.isShared ? SHARED : null) ?? reachObstacle(disk) ?? zoneObstacle(disk, scene, 'copy'),
  snapshot: ({ isShared, unreachable }) => (isShared ? SHARED : unreachable),
  'latest-snapshot': olderObstacle,
  'multi-attach': (disk, scene) => {
    if (!disk.isShared) return 'it is no Multi-Attach volume';
    if (disk.planned.isRoot) return 'nothing boots from a Multi-Attach volume';
    return reachObstacle(disk) ?? zoneObstacle(disk, scene, 'multi-attach');
  },
};

const TAKES: Readonly<Record<VolumePathName, (disk: DiskFacts) => Duration>> = {
  reattach: () => inTurn(EC2_TAKES.detachVolume, EC2_TAKES.attachVolume),
  copy: () => inTurn(EC2_TAKES.copyVolume, EC2_TAKES.attachVolume),
  snapshot: ({ planned, hasBase }) => snapshotTakes(planned, { hasBase }),
  'latest-snapshot': () => NO_TIME,
  'multi-attach': () => inTurn(EC2_TAKES.detachVolume, EC2_TAKES.attachVolume),
};

const worthOf = (path: VolumePathName, { zoneLost }: DiskFacts): Worth => {
  if (path === 'latest-snapshot') return 'older';
  return zoneLost ? 'uncertain' : 'complete';
};

function wishObstacle(path: VolumePathName, disk: DiskFacts, { policy }: PathScene): string | null {
  const pinned = pinOf(disk, policy);
  if (pinned !== null && pinned !== path) return `${pinned} is pinned (recover.volumes.pin)`;
  return wishOf(policy.forbid, disk)?.includes(path) ? 'forbidden (recover.volumes.forbid)' : null;
}

/** Every path, in the order of preference where two are equal. */
export const pathOptions = (disk: DiskFacts, scene: PathScene): readonly PathOption[] =>
  VOLUME_PATHS.map((path): PathOption => {
    const offered = scene.offered.includes(path) ? null : 'not part of this strategy';
    const why = OBSTACLES[path](disk, scene) ?? wishObstacle(path, disk, scene) ?? offered;
    return why === null
      ? { path, possible: true, takes: TAKES[path](disk), worth: worthOf(path, disk) }
      : { path, possible: false, why };
  });
