import type { PlannedVolume } from '@understudy/shared';
import type { Finding } from '../finding.ts';
import { roughly } from '../predict/duration.ts';
import type { DiskFacts, PathScene } from './disk-facts.ts';
import { movesItself } from '../moved-volumes.ts';
import { type PathOption, pathOptions, pinOf, SEEDED, SEED_TAKES, type Worth, WORTHS } from './path-options.ts';

type Possible = Extract<PathOption, { possible: true }>;

/** A disk with every path that it could take. */
interface Disk {
  readonly facts: DiskFacts;
  readonly options: readonly PathOption[];
}

/** One path for each disk. */
interface Assignment {
  readonly paths: readonly Possible[];
  /** The worst of its disks. */
  readonly worth: Worth;
  /** From the fence until all disks are on the replacement. */
  readonly takesMs: number;
}

/** How each disk gets to the replacement, or why one cannot. */
export type PathChoice =
  | { readonly kind: 'chosen'; readonly volumes: readonly PlannedVolume[] }
  | { readonly kind: 'impossible'; readonly problems: readonly Finding[] };

const rankOf = (worth: Worth): number => WORTHS.indexOf(worth);

const possibleOnes = (disk: Disk, may: (path: string) => boolean): readonly Possible[] =>
  disk.options.filter((one) => one.possible).filter((one) => may(one.path));

const best = (options: readonly Possible[]): Possible | null =>
  options.toSorted((a, b) => rankOf(a.worth) - rankOf(b.worth) || a.takes.typicalMs - b.takes.typicalMs)[0] ?? null;

/**
 * **S** (S27) A disk moves only where the root does. The old instance would keep its root
 * otherwise: a start that lands late, of ours or of a person, would have it run while a disk is
 * taken off it, and then boot without that disk.
 */
const leavesRootBehind = (disks: readonly Disk[], paths: readonly Possible[]): boolean =>
  paths.some((one) => movesItself(one)) &&
  disks.some(({ facts: { planned: volume } }, index) => volume.isRoot && !movesItself(paths[index] ?? {}));

/** Null: some disk has none of these paths, or one would move without its root. */
function assignment(disks: readonly Disk[], may: (path: string) => boolean): Assignment | null {
  const paths = disks.flatMap((disk) => best(possibleOnes(disk, may)) ?? []);
  if (paths.length < disks.length || leavesRootBehind(disks, paths)) return null;
  const seedMs = paths.some((one) => SEEDED.has(one.path)) ? SEED_TAKES.typicalMs : 0;
  return {
    paths,
    worth: WORTHS[Math.max(0, ...paths.map((one) => rankOf(one.worth)))] ?? 'uncertain',
    takesMs: Math.max(0, ...paths.map((one) => one.takes.typicalMs)) + seedMs,
  };
}

/**
 * The ways to put a whole machine together. Without a seed or with one, without disks that move or
 * with them; and, unless the policy allows to mix moments, with earlier snapshots for all disks or
 * for none.
 */
function assignments(disks: readonly Disk[], mixed: boolean): readonly Assignment[] {
  const isOlder = (path: string): boolean => path === 'latest-snapshot';
  const moments = mixed ? [() => true] : [(path: string) => !isOlder(path), isOlder];
  const seeds = [(path: string) => !SEEDED.has(path), () => true, (path: string) => !movesItself({ path })];
  return moments.flatMap((moment) =>
    seeds.flatMap((seed) => assignment(disks, (path) => moment(path) && seed(path)) ?? []),
  );
}

function reasonOf(disk: Disk, chosen: Possible, scene: PathScene): string {
  const { facts, options } = disk;
  if (pinOf(facts, scene.policy) === chosen.path) return 'pinned (recover.volumes.pin)';
  const seed = SEEDED.has(chosen.path) ? SEED_TAKES.typicalMs : 0;
  const time = `about ${roughly(chosen.takes.typicalMs + seed)} after the fence`;
  if (chosen.worth === 'uncertain')
    return `${facts.az} is lost, and no earlier snapshot may be used; ${time} if it can be made`;
  if (chosen.worth === 'older')
    return (
      facts.unreachable ?? (facts.zoneLost ? `${facts.az} is lost` : 'it has to fit a disk that cannot be reached')
    );
  if (options.filter((one) => one.possible).length === 1) return `the only path that is possible; ${time}`;
  return `loses nothing, and is the fastest: ${time}`;
}

function whyNot(option: PathOption, chosen: Possible, together: boolean): string {
  if (!option.possible) return option.why;
  if (rankOf(option.worth) > rankOf(chosen.worth)) return 'what was written since its snapshot would be lost';
  if (rankOf(option.worth) < rankOf(chosen.worth))
    return 'the disks would be of different moments (recover.volumes.mixedMoments)';
  const seed = SEEDED.has(option.path) && !SEEDED.has(chosen.path) ? SEED_TAKES.typicalMs : 0;
  const time = `about ${roughly(option.takes.typicalMs + seed)}`;
  if (together && movesItself(option) && !movesItself(chosen)) return STAYS_WITH_ROOT;
  const faster = option.takes.typicalMs + seed < chosen.takes.typicalMs;
  return together && faster ? `${time}, but not with the other disks` : `not faster: ${time}`;
}

const STAYS_WITH_ROOT = 'a disk moves only where the root moves, so that the old instance cannot run without it';

function planned(disk: Disk, chosen: Possible, scene: PathScene, together: boolean): PlannedVolume {
  const { facts, options } = disk;
  const { older, planned: volume } = facts;
  const from = chosen.path === 'latest-snapshot' && older ? older : null;
  const restored = chosen.path === 'snapshot' || from !== null;
  const rate = scene.policy.initializationRateMiBps;
  const rejected = options
    .filter((one) => one.path !== chosen.path)
    .map((one) => ({ path: one.path, reason: whyNot(one, chosen, together) }));
  return {
    ...volume,
    ...(chosen.path !== 'snapshot' && { path: chosen.path }),
    choice: { reason: reasonOf(disk, chosen, scene), rejected },
    ...(from && { from: { snapshotId: from.snapshotId, takenAtWallMs: from.startedAtWallMs } }),
    ...(facts.hasBase && { hasBase: true }),
    ...(restored && rate !== null && { initializationRateMiBps: rate }),
  };
}

function problemsOf(disks: readonly Disk[]): readonly Finding[] {
  const stuck = disks.filter((disk) => possibleOnes(disk, () => true).length === 0);
  if (stuck.length === 0) {
    const moves = disks.find((disk) => possibleOnes(disk, () => true).every(movesItself))?.facts.planned.volumeId;
    const rootMoves = disks.some(
      (disk) => disk.facts.planned.isRoot && possibleOnes(disk, () => true).some(movesItself),
    );
    const text =
      moves === undefined || rootMoves
        ? 'no choice of paths has all disks of one moment (recover.volumes.mixedMoments allows others)'
        : `${moves} can only move, and its root does not (recover.volumes): ${STAYS_WITH_ROOT}`;
    return [{ code: 'VolumePathImpossible', text }];
  }
  return stuck.map(({ facts: { planned: volume, isShared }, options }) => {
    const reasons = options.flatMap((one) => (one.possible ? [] : [`${one.path}: ${one.why}`])).join('; ');
    return isShared
      ? {
          code: 'VolumeMultiAttach',
          text: `${volume.volumeId} is a Multi-Attach volume, and others may write while it is captured (${reasons})`,
        }
      : {
          code: 'VolumePathImpossible',
          text: `no path brings ${volume.volumeId} (${volume.deviceName}) to a replacement (${reasons})`,
        };
  });
}

/**
 * Chooses for each disk how it gets to the replacement: what loses nothing before what does, then
 * what is faster for the machine as a whole, as far as the policy lets it. A disk that several
 * instances may write to is never copied. Pure.
 */
export function choosePaths(facts: readonly DiskFacts[], scene: PathScene): PathChoice {
  const disks = facts.map((one): Disk => ({ facts: one, options: pathOptions(one, scene) }));
  const [found] = assignments(disks, scene.policy.mixedMoments).toSorted(
    (a, b) => rankOf(a.worth) - rankOf(b.worth) || a.takesMs - b.takesMs,
  );
  if (!found) return { kind: 'impossible', problems: problemsOf(disks) };
  const volumes = disks.flatMap((disk, index): PlannedVolume[] => {
    const chosen = found.paths[index];
    return chosen ? [planned(disk, chosen, scene, disks.length > 1)] : [];
  });
  return { kind: 'chosen', volumes };
}
