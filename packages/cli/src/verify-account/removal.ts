import { type Clock, type Cloud, type CloudFilters, isOperationError, type Tags } from '@understudy/shared';
import { RUN_TAG } from './things.ts';

/** Instances that end, and what they hold until then, take minutes. */
const ROUNDS_MAX = 240;
const EVERY_MS = 5_000;
/** Describes lag behind: what is not seen for so long, is gone. */
export const LAG_MS = 10_000;
/** A call whose reply was lost may land for so long. */
export const LATE_MS = 10 * 60_000;

interface Found {
  readonly id: string;
  readonly tags: Tags;
}

/** A read that fails in passing is repeated. */
const REPEAT = { repeat: true } as const;

/** One kind of thing that a run makes: what of it is there, and how one is removed. */
interface RemovedKind {
  readonly kind: string;
  readonly find: (cloud: Cloud, filters: CloudFilters) => Promise<readonly Found[]>;
  readonly remove: (cloud: Cloud, id: string) => Promise<void>;
}

/** In this order: an image holds its snapshot, an instance its disks and its interface. */
const KINDS: readonly RemovedKind[] = [
  {
    kind: 'instance',
    find: async (cloud, filters) =>
      (await cloud.describeInstances(filters, REPEAT))
        .filter(({ state }) => state !== 'terminated')
        .map(({ instanceId: id, tags }) => ({ id, tags })),
    remove: (cloud, id) => cloud.terminateInstance(id),
  },
  {
    kind: 'image',
    find: async (cloud, filters) =>
      (await cloud.describeImages(filters, REPEAT)).map(({ imageId: id, tags }) => ({ id, tags })),
    remove: (cloud, id) => cloud.deregisterImage(id),
  },
  {
    kind: 'snapshot',
    find: async (cloud, filters) =>
      (await cloud.describeSnapshots(filters, REPEAT)).map(({ snapshotId: id, tags }) => ({ id, tags })),
    remove: (cloud, id) => cloud.deleteSnapshot(id),
  },
  {
    kind: 'volume',
    find: async (cloud, filters) =>
      (await cloud.describeVolumes(filters, REPEAT)).map(({ volumeId: id, tags }) => ({ id, tags })),
    remove: (cloud, id) => cloud.deleteVolume(id),
  },
  {
    kind: 'network interface',
    find: async (cloud, filters) =>
      (await cloud.describeNetworkInterfaces(filters, REPEAT)).map(({ networkInterfaceId: id, tags }) => ({
        id,
        tags,
      })),
    remove: (cloud, id) => cloud.deleteNetworkInterface(id),
  },
];

export interface Removal {
  /** How many things were removed, by kind. */
  readonly removed: Readonly<Record<string, number>>;
  /** What is still there, as `kind id`. */
  readonly left: readonly string[];
}

/**
 * Removes everything that carries the run's tag, and nothing else: the tag of each is read,
 * whatever EC2 was asked for. It is asked again until nothing was seen for `quietMs`, so it may be
 * repeated, and it finds what a killed run has left. What is in use, not shown yet or refused is
 * tried again; what cannot be listed counts as left.
 */
export async function removeRun(cloud: Cloud, clock: Clock, runId: string, quietMs = LAG_MS): Promise<Removal> {
  const seen = new Map<string, string>();
  let left: readonly string[] = [];
  let quietFromMs: number | null = null;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (round > 0) await clock.sleep(EVERY_MS);
    left = await oneRound(cloud, runId, seen);
    if (left.length > 0) quietFromMs = null;
    else quietFromMs ??= clock.monotonicMs();
    if (quietFromMs !== null && clock.monotonicMs() - quietFromMs >= quietMs) break;
  }
  const gone = [...seen].filter(([id, kind]) => !left.includes(`${kind} ${id}`));
  return { removed: Object.fromEntries(countsOf(gone.map(([, kind]) => kind))), left };
}

async function oneRound(cloud: Cloud, runId: string, seen: Map<string, string>): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { kind, find, remove } of KINDS) {
    const found = await find(cloud, { [`tag:${RUN_TAG}`]: [runId] }).catch(unlisted);
    if (found === null) left.push(`${kind} (not listed)`);
    for (const { id } of (found ?? []).filter(({ tags }) => tags[RUN_TAG] === runId)) {
      seen.set(id, kind);
      left.push(`${kind} ${id}`);
      await remove(cloud, id).catch(mayBeAskedAgain);
    }
  }
  return left;
}

function unlisted(error: unknown): null {
  mayBeAskedAgain(error);
  return null;
}

/** What EC2 refuses now, it may allow when what uses the thing has ended. */
function mayBeAskedAgain(error: unknown): void {
  if (!isOperationError(error)) throw error;
}

function countsOf(kinds: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
