import {
  HistoryRecordSchema,
  type HoldRecord,
  HoldRecordSchema,
  JournalRecordSchema,
  type MemberId,
  parseRecord,
  TAG,
} from '@understudy/shared';
import type { World } from '../cluster/world.ts';

/** Why a member is neither well nor visibly held; null: it is one of the two. */
export function unsettled(world: World, member: MemberId): string | null {
  const hold = holdOf(world, member);
  const intent = world.intentOf(member);
  if (hold === null) return intent === null ? ailing(world, member) : 'its recovery is not finished';
  // That a chore of the recovery is stuck which put this instance in charge says nothing of why a dead one is not replaced.
  const isOfChore = intent !== null && hold.opId === intent.opId && world.isActivatedBy(intent);
  const why = isOfChore ? ailing(world, member) : null;
  return why === null ? null : `${why}, and only a chore of its last recovery is held (${hold.reason})`;
}

/** What is wrong with the instance that is in charge; null: nothing. */
function ailing(world: World, member: MemberId): string | null {
  const instanceId = world.activeInstanceOf(member);
  if (instanceId === null) return 'nobody is activated';
  const machine = world.machines.of(instanceId);
  if (!machine) return `${instanceId} is ${world.cloud.core.region.instances.get(instanceId)?.state ?? 'gone'}`;
  if (!machine.agentRuns) return `the agent of ${instanceId} does not run`;
  return machine.serves ? null : `${instanceId} does not serve`;
}

export function holdOf(world: World, member: MemberId): HoldRecord | null {
  const key = world.keys.hold(member);
  const entry = world.kv.state.get(key);
  return entry ? parseRecord(HoldRecordSchema, key, entry.value) : null;
}

/** Addresses that lead elsewhere than to the activated instance of the member they belong to. */
export function strayAddresses(world: World): readonly string[] {
  return world.members.flatMap((member) => {
    const allocationId = world.addressOf(member);
    const active = world.activeInstanceOf(member);
    if (allocationId === null) return [];
    if (!world.addressExists(allocationId)) return stillAwaited(world, member, allocationId);
    if (world.operators.keeps(allocationId) || holdOf(world, member) !== null) return [];
    if (isGivenUp(world, member, allocationId)) return [];
    const holder = world.holderOf(allocationId);
    return holder === active
      ? []
      : [`${allocationId} of ${member} is on ${holder ?? 'nothing'}, not on ${active ?? '?'}`];
  });
}

/** An operator has said so, and a recovery of the member has carried it out. */
function isGivenUp(world: World, member: MemberId, allocationId: string): boolean {
  const what = `address:${allocationId}`;
  const open = world.intentOf(member)?.acceptedLosses ?? [];
  const closed = world.kv
    .entries(world.keys.historyOf(member))
    .flatMap((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value).losses ?? [])
    .filter((loss) => loss.code === 'AcceptedLoss');
  return open.includes(what) || closed.some((loss) => loss.text.includes(what));
}

/** A released address is a loss; whoever goes on waiting for it, held or not, waits for ever. */
function stillAwaited(world: World, member: MemberId, allocationId: string): readonly string[] {
  const intent = world.intentOf(member);
  const isPlanned = intent?.plan.addresses.some((one) => one.allocationId === allocationId) ?? false;
  if (!intent || !isPlanned || !world.isActivatedBy(intent)) return [];
  const key = world.keys.journalStep(intent.opId, `address-${allocationId}`);
  const entry = world.kv.state.get(key);
  if (entry && parseRecord(JournalRecordSchema, key, entry.value).state === 'done') return [];
  return [`${allocationId} was released, and ${intent.opId} still waits for it`];
}

/**
 * What recoveries made and nobody needs any more. Disks that hang on nothing are not counted: they hold data, so the collector reports them and leaves them.
 */
export function leftovers(world: World): readonly string[] {
  const { instances, snapshots, images, networkInterfaces } = world.cloud.core.region;
  const needed = neededIds(world);
  const open = openOps(world);
  const made = [...instances.all(), ...snapshots.all(), ...images.all(), ...networkInterfaces.all()];
  return made
    .filter(({ id, tags }) => tags[TAG.op] !== undefined && !open.has(tags[TAG.op] ?? '') && !needed.has(id))
    .filter(({ id }) => instances.get(id)?.state !== 'terminated')
    .map(({ id, tags }) => `${id} of ${tags[TAG.op] ?? ''}`);
}

/** When the last of what finished recoveries keep is released, by their own records; ms of the kernel. A leader whose wall clock was off wrote them. */
export function lastReleaseAtMs(world: World): number {
  const { keys, kv, kernel } = world;
  const releases = kv
    .entries(keys.history)
    .flatMap((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value).leftovers)
    .flatMap((leftover) => leftover.afterWallMs ?? []);
  return kernel.monotonicMs() + Math.max(0, ...releases) - kernel.wallMs();
}

function neededIds(world: World): ReadonlySet<string> {
  const { instances } = world.cloud.core.region;
  const active = world.members.flatMap((member) => world.activeInstanceOf(member) ?? []);
  // What an open recovery replaces is retired with the end of that recovery.
  const replaced = world.members.flatMap((member) => world.intentOf(member)?.oldInstanceId ?? []);
  return new Set([...active, ...replaced].flatMap((id) => [id, ...(instances.get(id)?.networkInterfaceIds ?? [])]));
}

const openOps = (world: World): ReadonlySet<string> =>
  new Set(world.kv.entries(world.keys.intents).flatMap((entry) => /"opId":"([^"]+)"/.exec(entry.value)?.[1] ?? []));
