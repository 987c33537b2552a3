import {
  type ActivationRecord,
  type CloudImage,
  type CloudInstance,
  type CloudNetworkInterface,
  type CloudSnapshot,
  type CloudVolume,
  type HistoryRecord,
  type MemberId,
  TAG,
} from '@understudy/shared';

export type Leftover = HistoryRecord['leftovers'][number];

/** Images before the snapshots they stand on. */
const ORDER: Readonly<Record<Leftover['kind'], number>> = {
  instance: 0,
  'network-interface': 1,
  image: 2,
  snapshot: 3,
};

/** Leftovers whose time has come, in the order they can go. */
export const dueLeftovers = (history: HistoryRecord, nowWallMs: number): readonly Leftover[] =>
  history.leftovers.filter((one) => one.afterWallMs <= nowWallMs).sort((a, b) => ORDER[a.kind] - ORDER[b.kind]);

export type RetiredVerdict =
  | { readonly kind: 'gone' }
  | { readonly kind: 'tag' }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'keep'; readonly why: string };

/**
 * What may be done with an instance a recovery has retired. It is terminated only if it is stopped, still tagged as retired by that very
 * recovery, not protected (a protection that appeared after the recovery is a person's wish), and the activation names another one.
 */
export function judgeRetired(facts: {
  readonly instance: CloudInstance | null;
  readonly opId: string;
  readonly due: boolean;
  readonly activation: ActivationRecord | null;
  /** False where its serve lease was waited out instead. */
  readonly wasSeenDown: boolean;
}): RetiredVerdict {
  const { instance, opId, due, activation, wasSeenDown } = facts;
  // EC2 may not show it because it shows nothing of its zone; what nobody saw stop may well run there.
  if (instance === null && !wasSeenDown) return { kind: 'keep', why: 'EC2 does not show it, and nobody saw it stop' };
  if (instance === null || instance.state === 'terminated' || instance.state === 'shutting-down')
    return { kind: 'gone' };
  if (activation?.instanceId === instance.instanceId) return { kind: 'keep', why: 'the activation names it' };
  const retiredBy = instance.tags[TAG.retiredBy];
  if (retiredBy === undefined) return { kind: 'tag' };
  if (!due) return { kind: 'keep', why: 'its time has not come' };
  if (retiredBy !== opId) return { kind: 'keep', why: `it is tagged as retired by ${retiredBy}` };
  if (activation === null) return { kind: 'keep', why: 'no activation names its successor' };
  if (instance.state !== 'stopped') return { kind: 'keep', why: `it is ${instance.state}, not stopped` };
  return { kind: 'terminate' };
}

/** What we know of recoveries, by opId. */
export interface KnownRecoveries {
  readonly finished: ReadonlyMap<string, HistoryRecord>;
  readonly open: ReadonlySet<string>;
  readonly activations: ReadonlyMap<MemberId, ActivationRecord>;
}

export interface Found {
  readonly snapshots: readonly CloudSnapshot[];
  readonly images: readonly CloudImage[];
  readonly networkInterfaces: readonly CloudNetworkInterface[];
  readonly instances: readonly CloudInstance[];
  readonly volumes: readonly CloudVolume[];
}

export interface Orphan {
  readonly kind: Exclude<Leftover['kind'], 'instance'>;
  readonly id: string;
  readonly opId: string;
}

/**
 * Resources of finished recoveries that no record accounts for: snapshot sets that did not become canonical, calls that landed late. Only
 * recoveries with a history record count: with etcd restored from a backup, or emptied, everything would look like an orphan.
 */
export function findOrphans(found: Found, known: KnownRecoveries): readonly Orphan[] {
  const orphan = (kind: Orphan['kind'], id: string, opId: string | undefined): Orphan[] => {
    const history = opId === undefined || known.open.has(opId) ? undefined : known.finished.get(opId);
    if (!history || opId === undefined) return [];
    return history.leftovers.some((one) => one.kind === kind && one.id === id) ? [] : [{ kind, id, opId }];
  };
  return [
    ...found.networkInterfaces
      .filter((one) => one.attachedInstanceId === null && one.state === 'available')
      .flatMap((one) => orphan('network-interface', one.networkInterfaceId, one.tags[TAG.op])),
    ...found.images.flatMap((one) => orphan('image', one.imageId, one.tags[TAG.op])),
    ...found.snapshots.flatMap((one) => orphan('snapshot', one.snapshotId, one.tags[TAG.op])),
  ];
}

/** Disks of finished recoveries that are attached to nothing. */
export const findLooseVolumes = (found: Found, known: KnownRecoveries): readonly string[] =>
  found.volumes
    .filter((one) => one.attachments.length === 0 && known.finished.has(one.tags[TAG.op] ?? ''))
    .map((one) => one.volumeId);

const PASSED: ReadonlySet<string> = new Set(['terminated', 'shutting-down']);

/** Instances a recovery launched and nobody accounts for. There must be none; they are reported, never touched. */
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

/** History records beyond the newest of a member, as many as are kept of it, that have nothing left to remove. */
export function trimmable(
  entries: readonly { readonly key: string; readonly record: HistoryRecord }[],
  keptOf: (member: MemberId) => number,
): readonly string[] {
  const byMember = Map.groupBy(entries, (one) => one.record.member);
  return [...byMember].flatMap(([member, own]) =>
    [...own]
      .sort((a, b) => b.record.endedAtWallMs - a.record.endedAtWallMs)
      .slice(keptOf(member))
      .filter((one) => one.record.leftovers.length === 0)
      .map((one) => one.key),
  );
}
