import { stepId } from '@understudy/recovery/testing';
import {
  HistoryRecordSchema,
  type HoldRecord,
  HoldRecordSchema,
  JournalRecordSchema,
  type MemberId,
  parseRecord,
  PreparationRecordSchema,
  TAG,
} from '@understudy/shared';
import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';

/** As long as a call for a suspect may land after what it is for was dropped. */
const PREPARED_LATE_MS = 900_000;

/** Why a member is neither well nor visibly held; null: it is one of the two. */
export function unsettled(cluster: SimulatedCluster, member: MemberId): string | null {
  const hold = holdOf(cluster, member);
  const intent = cluster.records.intent(member);
  if (hold === null) return intent === null ? ailing(cluster, member) : 'its recovery is not finished';
  // That a chore of the recovery is stuck which put this instance in charge says nothing of why a
  // dead one is not replaced.
  const isOfChore = intent !== null && hold.opId === intent.opId && cluster.isActivatedBy(intent);
  const why = isOfChore ? ailing(cluster, member) : null;
  return why === null ? null : `${why}, and only a chore of its last recovery is held (${hold.reason})`;
}

/** What is wrong with the instance that is in charge; null: nothing. */
function ailing(cluster: SimulatedCluster, member: MemberId): string | null {
  const instanceId = cluster.activeInstanceOf(member);
  if (instanceId === null) return 'nobody is activated';
  const machine = cluster.machines.of(instanceId);
  if (!machine) return `${instanceId} is ${cluster.cloud.core.region.instances.get(instanceId)?.state ?? 'gone'}`;
  if (!machine.agentRuns) return `the agent of ${instanceId} does not run`;
  return machine.serves ? null : `${instanceId} does not serve`;
}

export function holdOf(cluster: SimulatedCluster, member: MemberId): HoldRecord | null {
  const key = cluster.keys.hold(member);
  const entry = cluster.kv.state.get(key);
  return entry ? parseRecord(HoldRecordSchema, key, entry.value) : null;
}

/** Addresses that lead elsewhere than to the activated instance of the member they belong to. */
export function strayAddresses(cluster: SimulatedCluster): readonly string[] {
  return cluster.members.flatMap((member) => {
    const allocationId = cluster.addressOf(member);
    const active = cluster.activeInstanceOf(member);
    if (allocationId === null) return [];
    if (!cluster.addressExists(allocationId)) return stillAwaited(cluster, member, allocationId);
    if (cluster.operators.keeps(allocationId) || holdOf(cluster, member) !== null) return [];
    if (isGivenUp(cluster, member, allocationId)) return [];
    const holder = cluster.holderOf(allocationId);
    return holder === active
      ? []
      : [`${allocationId} of ${member} is on ${holder ?? 'nothing'}, not on ${active ?? '?'}`];
  });
}

/** An operator has said so, and a recovery of the member has carried it out. */
function isGivenUp(cluster: SimulatedCluster, member: MemberId, allocationId: string): boolean {
  const what = `address:${allocationId}`;
  const open = cluster.records.intent(member)?.acceptedLosses ?? [];
  const closed = cluster.kv
    .entries(cluster.keys.historyOf(member))
    .flatMap((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value).losses ?? [])
    .filter((loss) => loss.code === 'AcceptedLoss');
  return open.includes(what) || closed.some((loss) => loss.text.includes(what));
}

/** A released address is a loss; whoever goes on waiting for it, held or not, waits for ever. */
function stillAwaited(cluster: SimulatedCluster, member: MemberId, allocationId: string): readonly string[] {
  const intent = cluster.records.intent(member);
  const isPlanned = intent?.plan.addresses.some((one) => one.allocationId === allocationId) ?? false;
  if (!intent || !isPlanned || !cluster.isActivatedBy(intent)) return [];
  const key = cluster.keys.journalStep(intent.opId, stepId('address', allocationId));
  const entry = cluster.kv.state.get(key);
  if (entry && parseRecord(JournalRecordSchema, key, entry.value).state === 'done') return [];
  return [`${allocationId} was released, and ${intent.opId} still waits for it`];
}

/**
 * What recoveries made and nobody needs any more. Disks that hang on nothing hold data, so the
 * collector leaves them: those are counted that nothing tells of, neither a mark nor a record.
 */
export function leftovers(cluster: SimulatedCluster): readonly string[] {
  const { instances, snapshots, images, networkInterfaces } = cluster.cloud.core.region;
  const needed = neededIds(cluster);
  const open = openOps(cluster);
  const made = [...instances.all(), ...snapshots.all(), ...images.all(), ...networkInterfaces.all()];
  return made
    .filter(({ id, tags }) => tags[TAG.op] !== undefined && !open.has(tags[TAG.op] ?? '') && !needed.has(id))
    .filter(({ id }) => instances.get(id)?.state !== 'terminated')
    .map(({ id, tags }) => `${id} of ${tags[TAG.op] ?? ''}`)
    .concat(unmarkedDisks(cluster, open));
}

function unmarkedDisks({ cloud, kv, keys }: SimulatedCluster, open: ReadonlySet<string>): readonly string[] {
  const told = [...kv.entries(keys.history), ...kv.entries(keys.journal)].map((entry) => entry.value).join();
  return cloud.core.region.volumes
    .all()
    .filter(({ state, attachments }) => state === 'available' && attachments.length === 0)
    .filter(({ tags }) => tags[TAG.op] !== undefined && tags[TAG.retiredBy] === undefined)
    .filter(({ id, tags }) => !open.has(tags[TAG.op] ?? '') && !told.includes(id))
    .map(({ id, tags }) => `${id} of ${tags[TAG.op] ?? ''}, which hangs on nothing and which nothing tells of`);
}

/**
 * When the last of what finished recoveries keep is released, by their own records; ms of the
 * kernel. A leader whose wall clock was off wrote them.
 */
export function lastReleaseAtMs(cluster: SimulatedCluster): number {
  const { keys, kv, kernel } = cluster;
  const releases = kv
    .entries(keys.history)
    .flatMap((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value).leftovers)
    .flatMap((leftover) => leftover.afterWallMs ?? []);
  return kernel.monotonicMs() + Math.max(0, ...releases, ...lastLooks(cluster)) - kernel.wallMs();
}

/** What was dropped is looked at once more when no call of it can land any more; then it may go. */
const lastLooks = ({ kv, keys }: SimulatedCluster): readonly number[] =>
  kv
    .entries(keys.preparations)
    .flatMap((entry) => parseRecord(PreparationRecordSchema, entry.key, entry.value).dropped?.atWallMs ?? [])
    .map((atWallMs) => atWallMs + PREPARED_LATE_MS);

function neededIds(cluster: SimulatedCluster): ReadonlySet<string> {
  const { instances } = cluster.cloud.core.region;
  const active = cluster.members.flatMap((member) => cluster.activeInstanceOf(member) ?? []);
  // What an open recovery replaces is retired with the end of that recovery.
  const replaced = cluster.members.flatMap((member) => cluster.records.intent(member)?.oldInstanceId ?? []);
  return new Set([...active, ...replaced].flatMap((id) => [id, ...(instances.get(id)?.networkInterfaceIds ?? [])]));
}

const openOps = (cluster: SimulatedCluster): ReadonlySet<string> =>
  new Set(cluster.kv.entries(cluster.keys.intents).flatMap((entry) => /"opId":"([^"]+)"/.exec(entry.value)?.[1] ?? []));
