import type { Deed, HistoryRecord, KeptDeed, MemberId } from '@understudy/shared';
import type { ClusterRecords } from '../store/cluster-records.ts';

/** A history keeps so many, and so many wait of one instance, whatever is made up afterwards. */
const KEPT_MAX = 5;
/** What was done longer before a recovery is not why it was needed. */
const BEFORE_MS = 86_400_000;
/** By so much CloudTrail's clock may be ahead of ours. */
const AHEAD_MS = 300_000;
/** Members of which deeds wait at once: with the sizes of what is read, some 13 MB at the most. */
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
  const fresh = told.filter(({ action, atWallMs, eventId }) => {
    if (known.has(eventId) || action === 'StartInstances') return false;
    const isBefore = atWallMs <= startedAtWallMs && startedAtWallMs - atWallMs <= BEFORE_MS;
    if (isBefore) known.add(eventId);
    return isBefore;
  });
  return fresh.slice(0, Math.max(0, KEPT_MAX - deeds.length));
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

/**
 * What is to wait of a member with these told deeds. Null: as it is, because they wait already,
 * stand in a history, can be in none, or find no room. Pure.
 */
export function waitingWith(
  records: Told,
  member: MemberId,
  told: readonly KeptDeed[],
  nowWallMs: number,
): readonly KeptDeed[] | null {
  const before = records.deeds.get(member)?.record.kept ?? [];
  const all = [...stillWanted(records, member, nowWallMs)];
  let isMore = false;
  for (const one of told) {
    const ofIt = all.filter(({ instanceId }) => instanceId === one.instanceId);
    const isKnown = [...ofIt, ...before].some(
      ({ instanceId, eventId }) => instanceId === one.instanceId && eventId === one.eventId,
    );
    if (isKnown || ofIt.length >= KEPT_MAX || !isWanted(records, member, one, nowWallMs)) continue;
    all.push(one);
    isMore = true;
  }
  return isMore ? all : null;
}
