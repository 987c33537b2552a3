import {
  type ActivationRecord,
  type CloudCapacityReservation,
  type CloudImage,
  type CloudInstance,
  type CloudNetworkInterface,
  type CloudSnapshot,
  type CloudVolume,
  type HistoryRecord,
  type Leftover,
  type MemberId,
  TAG,
} from '@understudy/shared';
import { openLateStartOf } from './undo/late-start.ts';

/** Leftovers whose time has come, in the order they can go. Of kinds that are not known: last. */
export function dueLeftovers(
  history: HistoryRecord,
  nowWallMs: number,
  kinds: readonly { readonly kind: string; readonly order: number }[],
): readonly Leftover[] {
  const orderOf = ({ kind }: Leftover) => kinds.find((one) => one.kind === kind)?.order ?? Number.POSITIVE_INFINITY;
  return history.leftovers
    .filter((one) => one.afterWallMs !== null && one.afterWallMs <= nowWallMs)
    .map((one) => ({ one, order: orderOf(one) }))
    .sort((a, b) => (a.order === b.order ? 0 : a.order - b.order))
    .map(({ one }) => one);
}

/**
 * How long something on the books has to be absent from every look before it counts as gone.
 * Describes lag in both directions (A9), and waiting twice as long loses nothing.
 */
export const GONE_AFTER_MS = 120_000;

interface Keep {
  readonly kind: 'keep';
  readonly code: string;
  readonly why: string;
  /** True: it goes by itself. False: a person should know once its time has come. */
  readonly passing: boolean;
}

export type RetiredVerdict = { readonly kind: 'gone' | 'tag' | 'terminate' } | Keep;

const keep = (code: string, why: string): Keep => ({ kind: 'keep', code, why, passing: false });
const keepForNow = (code: string, why: string): Keep => ({ kind: 'keep', code, why, passing: true });

/** What is known of something on the books that a look did not show. */
const judgeUnseen = (unseenForMs: number): { readonly kind: 'gone' } | Keep =>
  unseenForMs >= GONE_AFTER_MS ? { kind: 'gone' } : keepForNow('NotShown', 'EC2 does not show it: looking again');

/**
 * What may be done with an instance that a recovery has retired. It is terminated only if it is
 * stopped, if it is still tagged as retired by that very recovery, if it is not protected, and if
 * the activation names another one. A protection that appeared after the recovery is a person's
 * wish.
 */
export function judgeRetired(facts: {
  readonly instance: CloudInstance | null;
  /** How long no look has shown it, ms. It counts only while `instance` is null. */
  readonly unseenForMs: number;
  readonly opId: string;
  readonly due: boolean;
  readonly activation: ActivationRecord | null;
  /** False where its serve lease was waited out instead. */
  readonly wasSeenDown: boolean;
}): RetiredVerdict {
  const { instance, unseenForMs, opId, due, activation, wasSeenDown } = facts;
  // EC2 may hide it because it shows nothing of its zone. An instance that nobody saw stop may
  // still run there.
  if (instance === null && !wasSeenDown) return keep('NotShown', 'EC2 does not show it, and nobody saw it stop');
  if (instance === null) return judgeUnseen(unseenForMs);
  if (instance.state === 'terminated') return { kind: 'gone' };
  if (instance.state === 'shutting-down') return keepForNow('ShuttingDown', 'it is shutting down');
  if (activation?.instanceId === instance.instanceId) return keep('Activated', 'the activation names it');
  const retiredBy = instance.tags[TAG.retiredBy];
  if (retiredBy === undefined) return { kind: 'tag' };
  if (!due) return keepForNow('NotDue', 'its time has not come');
  if (retiredBy !== opId) return keep('RetiredByAnother', `it is tagged as retired by ${retiredBy}`);
  if (activation === null) return keep('NoSuccessor', 'no activation names its successor');
  if (instance.state !== 'stopped') return keep('NotStopped', `it is ${instance.state}, not stopped`);
  return { kind: 'terminate' };
}

export type KeptVolumeVerdict =
  | { readonly kind: 'gone' | 'delete' }
  /** Somebody attached it elsewhere, so it is theirs now. */
  | { readonly kind: 'taken'; readonly by: string }
  | Keep;

/**
 * What may be done with a data volume that the retired instance leaves. It is deleted only when its
 * time has come, when it is attached to nothing, and when it still has the mark of that very
 * recovery.
 */
export function judgeKeptVolume(facts: {
  readonly volume: CloudVolume | null;
  readonly unseenForMs: number;
  readonly opId: string;
  readonly oldInstanceId: string;
  readonly due: boolean;
}): KeptVolumeVerdict {
  const { volume, unseenForMs, opId, oldInstanceId, due } = facts;
  if (volume === null) return judgeUnseen(unseenForMs);
  if (volume.state === 'deleted') return { kind: 'gone' };
  const taker = volume.attachments.find((one) => one.instanceId !== oldInstanceId);
  if (taker) return { kind: 'taken', by: taker.instanceId };
  if (!due) return keepForNow('NotDue', 'its time has not come');
  if (volume.attachments.length > 0) return keepForNow('Attached', `it is attached to ${oldInstanceId}`);
  if (volume.state !== 'available') return keepForNow('NotAvailable', `it is ${volume.state}`);
  const retiredBy = volume.tags[TAG.retiredBy];
  if (retiredBy !== opId) {
    const text = retiredBy === undefined ? 'it does not carry' : `it carries the mark of ${retiredBy} instead of`;
    return keep('NotMarked', `${text} the mark of its recovery`);
  }
  return { kind: 'delete' };
}

/** What we know of recoveries, by opId. */
export interface KnownRecoveries {
  readonly finished: ReadonlyMap<string, HistoryRecord>;
  readonly open: ReadonlySet<string>;
  readonly activations: ReadonlyMap<MemberId, ActivationRecord>;
  /** Names of preparations that were dropped and have gone: no recovery ever has one (S31). */
  readonly gone: ReadonlySet<string>;
  /** What intents name, readable or not: nobody's leftover, whoever has made it. */
  readonly named: ReadonlySet<string>;
}

export interface Found {
  readonly snapshots: readonly CloudSnapshot[];
  readonly images: readonly CloudImage[];
  readonly networkInterfaces: readonly CloudNetworkInterface[];
  readonly instances: readonly CloudInstance[];
  readonly volumes: readonly CloudVolume[];
  /** Those that have not ended. */
  readonly reservations: readonly CloudCapacityReservation[];
}

export interface Orphan {
  readonly kind: string;
  readonly id: string;
  readonly opId: string;
}

/**
 * Resources of finished recoveries that no record accounts for: snapshot sets that did not become
 * canonical, calls that landed late; and what landed for a suspect after its preparation had gone.
 * Only names that stand in a record count: with etcd restored from a backup, or emptied, everything
 * would look like an orphan. What an open recovery is made from is kept, whosesoever it is.
 */
export function findOrphans(found: Found, known: KnownRecoveries): readonly Orphan[] {
  const orphan = (kind: Orphan['kind'], id: string, opId = ''): Orphan[] => {
    if (known.open.has(opId) || known.named.has(id)) return [];
    const history = known.finished.get(opId);
    if (!history) return known.gone.has(opId) && MADE_FOR_SUSPECTS.has(kind) ? [{ kind, id, opId }] : [];
    return history.leftovers.some((one) => one.kind === kind && one.id === id) ? [] : [{ kind, id, opId }];
  };
  return [
    ...found.networkInterfaces
      .filter((one) => one.attachedInstanceId === null && one.state === 'available')
      .flatMap((one) => orphan('network-interface', one.networkInterfaceId, one.tags[TAG.op])),
    ...found.images.flatMap((one) => orphan('image', one.imageId, one.tags[TAG.op])),
    ...found.snapshots.flatMap((one) => orphan('snapshot', one.snapshotId, one.tags[TAG.op])),
    ...found.reservations.flatMap((one) => orphan('capacity-reservation', one.reservationId, one.tags[TAG.op])),
  ];
}

/** What a preparation makes beside its seed, which is an instance and never an orphan. */
const MADE_FOR_SUSPECTS: ReadonlySet<string> = new Set(['network-interface', 'snapshot', 'capacity-reservation']);

/** Has a recovery taken over a preparation that asked for room? Nothing else reserves any. */
export const hasReserved = ({ finished }: Pick<KnownRecoveries, 'finished'>): boolean =>
  [...finished.values()].some(({ prepared }) => prepared?.makes.includes('capacity'));

/** Disks of finished recoveries that are attached to nothing, and on no books. */
export const findLooseVolumes = (found: Found, known: KnownRecoveries): readonly string[] =>
  found.volumes
    .filter((one) => {
      const history = known.finished.get(one.tags[TAG.op] ?? '');
      return one.attachments.length === 0 && history?.leftovers.some(({ id }) => id === one.volumeId) === false;
    })
    .map((one) => one.volumeId);

/** How long a volume is kept whose mark says no time: as long as the longest `retainForMs`. */
const LONGEST_RETENTION_MS = 2_592_000_000;

export interface Returned {
  readonly opId: string;
  readonly instanceId: string;
  /** The retention its mark names. */
  readonly afterWallMs: number;
}

/**
 * Retired instances that exist although the books say nothing of them any more. They were believed
 * gone, and were not. Their recovery has to be known, so that they can be put on its books again.
 */
export const findReturned = (retired: readonly CloudInstance[], known: KnownRecoveries): readonly Returned[] =>
  retired.flatMap(({ instanceId, state, tags }) => {
    const opId = tags[TAG.retiredBy] ?? '';
    const history = known.finished.get(opId);
    if (!history || known.open.has(opId) || PASSED.has(state)) return [];
    if (history.oldInstanceId !== instanceId) return [];
    if (history.leftovers.some((left) => left.id === instanceId)) return [];
    // It serves again: its mark is on its way off.
    if (known.activations.get(history.member)?.instanceId === instanceId) return [];
    const marked = Date.parse(tags[TAG.retainUntil] ?? '');
    const afterWallMs = Number.isNaN(marked) ? history.endedAtWallMs + LONGEST_RETENTION_MS : marked;
    return [{ opId, instanceId, afterWallMs }];
  });

const PASSED: ReadonlySet<string> = new Set(['terminated', 'shutting-down']);

/**
 * Instances that a recovery launched and nobody accounts for. There must be none. They are reported
 * and never touched.
 */
export function findStrays(found: Found, known: KnownRecoveries): readonly string[] {
  const active = new Set([...known.activations.values()].map((one) => one.instanceId));
  return found.instances
    .filter((one) => {
      const opId = one.tags[TAG.op];
      if (opId === undefined || known.open.has(opId) || PASSED.has(one.state)) return false;
      if (active.has(one.instanceId) || one.tags[TAG.retiredBy] !== undefined) return false;
      return known.finished.get(opId)?.newInstanceId !== one.instanceId;
    })
    .map((one) => one.instanceId);
}

/**
 * True when nothing of it is ours to remove or to put in place any more. What is kept for ever
 * carries its mark in EC2.
 */
const isSettled = ({ leftovers, owed, lateStart }: HistoryRecord): boolean =>
  openLateStartOf({ lateStart }) === null && owed.length === 0 && leftovers.every((one) => one.afterWallMs === null);

/**
 * History records of a member that have nothing left to do, beyond the newest ones that are kept.
 */
export function trimmable(
  entries: readonly { readonly key: string; readonly record: HistoryRecord }[],
  keptOf: (member: MemberId) => number,
): readonly string[] {
  const byMember = Map.groupBy(entries, (one) => one.record.member);
  return [...byMember].flatMap(([member, own]) =>
    [...own]
      .sort((a, b) => b.record.endedAtWallMs - a.record.endedAtWallMs)
      .slice(keptOf(member))
      .filter((one) => isSettled(one.record))
      .map((one) => one.key),
  );
}
