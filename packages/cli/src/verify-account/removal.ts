import { type Clock, type Cloud, type CloudFilters, isOperationError } from '@understudy/shared';
import { RUN_TAG } from './things.ts';

/** Instances that end, and what they hold until then, take minutes. */
const ROUNDS_MAX = 120;
const EVERY_MS = 5_000;
/** Describes lag behind: what is not seen so often in a row is gone. */
const EMPTY_ROUNDS = 3;

/** One kind of thing that a run makes: what of it is there, and how one is removed. */
interface RemovedKind {
  readonly kind: string;
  readonly find: (cloud: Cloud, filters: CloudFilters) => Promise<readonly string[]>;
  readonly remove: (cloud: Cloud, id: string) => Promise<void>;
}

/** In this order: an image holds its snapshot, an instance its disks and its interface. */
const KINDS: readonly RemovedKind[] = [
  {
    kind: 'instance',
    find: async (cloud, filters) =>
      (await cloud.describeInstances(filters))
        .filter(({ state }) => state !== 'terminated')
        .map(({ instanceId }) => instanceId),
    remove: (cloud, id) => cloud.terminateInstance(id),
  },
  {
    kind: 'image',
    find: async (cloud, filters) => (await cloud.describeImages(filters)).map(({ imageId }) => imageId),
    remove: (cloud, id) => cloud.deregisterImage(id),
  },
  {
    kind: 'snapshot',
    find: async (cloud, filters) => (await cloud.describeSnapshots(filters)).map(({ snapshotId }) => snapshotId),
    remove: (cloud, id) => cloud.deleteSnapshot(id),
  },
  {
    kind: 'volume',
    find: async (cloud, filters) => (await cloud.describeVolumes(filters)).map(({ volumeId }) => volumeId),
    remove: (cloud, id) => cloud.deleteVolume(id),
  },
  {
    kind: 'network interface',
    find: async (cloud, filters) =>
      (await cloud.describeNetworkInterfaces(filters)).map(({ networkInterfaceId }) => networkInterfaceId),
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
 * Removes everything that carries the run's tag. It is asked for again until EC2 shows nothing
 * any more, so it may be repeated, and it finds what a killed run has left. What is in use, or not
 * shown yet, is tried again.
 * @throws what a describe throws
 */
export async function removeRun(cloud: Cloud, clock: Clock, runId: string): Promise<Removal> {
  const filters: CloudFilters = { [`tag:${RUN_TAG}`]: [runId] };
  const seen = new Map<string, string>();
  let left: readonly string[] = [];
  for (let round = 0, empty = 0; round < ROUNDS_MAX && empty < EMPTY_ROUNDS; round++) {
    if (round > 0) await clock.sleep(EVERY_MS);
    left = await oneRound(cloud, filters, seen);
    empty = left.length === 0 ? empty + 1 : 0;
  }
  const gone = [...seen].filter(([id, kind]) => !left.includes(`${kind} ${id}`));
  return { removed: Object.fromEntries(countsOf(gone.map(([, kind]) => kind))), left };
}

async function oneRound(cloud: Cloud, filters: CloudFilters, seen: Map<string, string>): Promise<readonly string[]> {
  const left: string[] = [];
  for (const { kind, find, remove } of KINDS) {
    for (const id of await find(cloud, filters)) {
      seen.set(id, kind);
      left.push(`${kind} ${id}`);
      await remove(cloud, id).catch(mayBeAskedAgain);
    }
  }
  return left;
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
