import { type Deed, DEEDS_MAX, type HistoryRecord, type KeptDeed, type MemberId } from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';

/** What can be why an instance was lost. Nothing else is kept. */
const ACTIONS: ReadonlySet<string> = new Set(['TerminateInstances', 'StopInstances', 'RebootInstances']);
/**
 * A history keeps so many of each action, and so many wait of each of one instance. Many of one
 * action push out none of another.
 */
const KEPT_OF_ACTION = 3;
/** What was done longer before a recovery is not why it was needed. */
const BEFORE_MS = 86_400_000;
/** By so much CloudTrail's clock may be ahead of ours. */
const AHEAD_MS = 300_000;
/** A larger record of a member is not written. Twenty fit into one request of etcd (1.5 MiB). */
export const RECORD_BYTES_MAX = 32_768;
/** For what a record has beside its deeds: names, revision, term. */
const RECORD_FRAME_BYTES = 2_048;
/** Members of which deeds wait at once: 32 MB at the most, and 3 MB with the usual ARNs. */
export const WAITING_MEMBERS_MAX = 1_000;

type Told = Pick<ClusterRecords, 'activations' | 'intents' | 'history' | 'deeds'>;

/**
 * What is to be added to the record of a recovery: who did something to its old instance in the day
 * before it began. Calls after that are its own, or of people who clean up. Pure.
 */
export function deedsToAdd<D extends Deed>(
  { deeds = [], startedAtWallMs }: Pick<HistoryRecord, 'deeds' | 'startedAtWallMs'>,
  told: readonly D[],
): readonly D[] {
  const known = new Set(deeds.map((one) => one.eventId));
  const counts = new Map<string, number>();
  for (const { action } of deeds) counts.set(action, (counts.get(action) ?? 0) + 1);
  return told.filter(({ action, atWallMs, eventId }) => {
    const count = counts.get(action) ?? 0;
    if (known.has(eventId) || !ACTIONS.has(action) || count >= KEPT_OF_ACTION) return false;
    if (atWallMs > startedAtWallMs || startedAtWallMs - atWallMs > BEFORE_MS) return false;
    known.add(eventId);
    counts.set(action, count + 1);
    return true;
  });
}

/** As a history has it. */
export const withoutPlace = ({ instanceId: _id, keptAtWallMs: _at, ...deed }: KeptDeed): Deed => deed;

/** What waits in etcd of this instance, those that came first at first. */
export const waitingOf = (records: Told, member: MemberId, instanceId: string): readonly KeptDeed[] =>
  records.deeds.get(member)?.record.kept.filter((one) => one.instanceId === instanceId) ?? [];

/**
 * Whether a deed can yet come into a history: of a recovery that has ended, of the open one, or of
 * one that begins within the day. Pure.
 */
function isWanted({ activations, intents, history }: Told, member: MemberId, deed: KeptDeed, nowWallMs: number) {
  const { instanceId, keptAtWallMs } = deed;
  const intent = intents.get(member)?.record;
  const ended = [...(history.get(member)?.values() ?? [])].map((one) => one.record);
  const recoveries = [...ended, ...(intent ? [intent] : [])].filter((one) => one.oldInstanceId === instanceId);
  if (recoveries.some((one) => deedsToAdd(one, [deed]).length > 0)) return true;
  if (activations.get(member)?.record.instanceId !== instanceId || nowWallMs - keptAtWallMs > BEFORE_MS) return false;
  return deedsToAdd({ startedAtWallMs: keptAtWallMs + AHEAD_MS }, [deed]).length > 0;
}

/** What is still wanted of what waits of a member. Pure. */
export const stillWanted = (records: Told, member: MemberId, nowWallMs: number): readonly KeptDeed[] =>
  records.deeds.get(member)?.record.kept.filter((one) => isWanted(records, member, one, nowWallMs)) ?? [];

/** When it was done, or else heard of: a made-up date in the future lasts no longer. */
const doneAtMs = ({ atWallMs, keptAtWallMs }: KeptDeed): number => Math.min(atWallMs, keptAtWallMs);

/**
 * With one deed more. Of each action of an instance there are those two that came first, and the
 * newest. Null: it finds no room, or none without a replacement. Pure.
 */
function withOne(all: readonly KeptDeed[], one: KeptDeed, mayReplace: boolean): readonly KeptDeed[] | null {
  const like = all.filter(({ instanceId, action }) => instanceId === one.instanceId && action === one.action);
  const last = like[KEPT_OF_ACTION - 1];
  if (last === undefined) return [...all, one];
  if (!mayReplace || doneAtMs(one) <= doneAtMs(last)) return null;
  return [...all.filter((other) => other !== last), one];
}

/**
 * What a record may hold of these, in number and bytes. The oldest go first, and before them those
 * of instances that the member has no more. Pure.
 */
function fitting({ activations, intents }: Told, member: MemberId, all: readonly KeptDeed[]): readonly KeptDeed[] {
  const present = [activations.get(member)?.record.instanceId, intents.get(member)?.record.oldInstanceId];
  const isPresent = ({ instanceId }: KeptDeed) => present.includes(instanceId);
  const newest = all.toReversed();
  const fits = new Set<KeptDeed>();
  let bytes = RECORD_FRAME_BYTES;
  for (const one of [...newest.filter(isPresent), ...newest.filter((other) => !isPresent(other))]) {
    const more = Buffer.byteLength(JSON.stringify(one)) + 1;
    if (fits.size >= DEEDS_MAX || bytes + more > RECORD_BYTES_MAX) continue;
    fits.add(one);
    bytes += more;
  }
  return all.filter((one) => fits.has(one));
}

/**
 * What is to wait of a member with these told deeds. Null: as it is, because they wait already,
 * stand in a history, can be in none, or find no room. `mayReplace`: a newer one may take the place
 * of the newest of its action, which anybody who writes to the queue can go on with. Pure.
 */
export function waitingWith(
  records: Told,
  member: MemberId,
  told: readonly KeptDeed[],
  { nowWallMs, mayReplace }: { readonly nowWallMs: number; readonly mayReplace: boolean },
): readonly KeptDeed[] | null {
  const before = records.deeds.get(member)?.record.kept ?? [];
  const wanted = stillWanted(records, member, nowWallMs);
  const added = new Set<KeptDeed>();
  let all = wanted;
  for (const one of told) {
    const isKnown = [...all, ...before].some(
      ({ instanceId, eventId }) => instanceId === one.instanceId && eventId === one.eventId,
    );
    const more = isKnown || !isWanted(records, member, one, nowWallMs) ? null : withOne(all, one, mayReplace);
    if (more === null) continue;
    all = more;
    added.add(one);
  }
  const kept = fitting(records, member, all);
  return kept.some((one) => added.has(one)) ? kept : null;
}
