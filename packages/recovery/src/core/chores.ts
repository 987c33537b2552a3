import { type Chore, type CloudInstance, type CloudVolume, rawOf, TAG, type Tags } from '@understudy/shared';
import { reappliedBy } from './fidelity/reapplied.ts';
import type { ReapplyFacts } from './fidelity/row.ts';
import { MAX_TAGS } from './launch-tags.ts';
import { isPutOnLater, movesItself } from './moved-volumes.ts';

/** One call a chore needs now. All are idempotent, and none takes anything away. */
export type ChoreCall =
  | { readonly kind: 'tag'; readonly resourceId: string; readonly tags: Tags }
  | { readonly kind: 'bind'; readonly networkInterfaceId: string; readonly attachmentId: string }
  | { readonly kind: 'bind-disk'; readonly instanceId: string; readonly deviceName: string }
  | { readonly kind: 'reboot-migration'; readonly instanceId: string; readonly value: string }
  | { readonly kind: 'dns-records'; readonly instanceId: string; readonly a: boolean; readonly aaaa: boolean }
  | {
      readonly kind: 'protect';
      readonly instanceId: string;
      readonly protection: { readonly stop?: true; readonly termination?: true };
    };

export type ChoreMove =
  | { readonly kind: 'call'; readonly call: ChoreCall }
  | { readonly kind: 'done' }
  /** There is nothing to do it on, and there will be nothing. */
  | { readonly kind: 'moot'; readonly why: string }
  /** It cannot be done now. */
  | { readonly kind: 'stuck'; readonly code: string; readonly text: string };

/**
 * What is known of the things a chore is about. `undefined`: nobody looked, so nothing is
 * concluded.
 */
export interface ChoreSight {
  /** Null: EC2 does not show it. */
  readonly instance: CloudInstance | null;
  /** The volume of `volume-tags` and `retire-volume`. Null: EC2 does not show it. */
  readonly volume?: CloudVolume | null;
  readonly protection?: { readonly stop: boolean; readonly termination: boolean };
}

export interface ChoreFacts extends ReapplyFacts {
  readonly opId: string;
  readonly oldInstanceId: string;
  readonly permitId: string;
  /**
   * Which disk was put on after the launch, by the volume of the plan. Absent: it is not known yet.
   */
  readonly putOn?: ReadonlyMap<string, string>;
  /** ISO time. Null: for ever. */
  readonly volumesRetainedUntil: string | null;
  /**
   * ISO time until which volumes are kept that would have gone with the old instance, had it not
   * ended early. Absent: they go with it.
   */
  readonly detainedUntil?: string;
}

/**
 * Everything that has to be put in place on a replacement, and on what its predecessor leaves. The
 * same facts give the same list, in the same order.
 */
export const choresOf = (facts: ChoreFacts): readonly Chore[] => [
  ...retiredVolumesOf(facts),
  ...reappliedBy(facts),
  ...disksToBind(facts),
  { kind: 'bind-interface', instanceId: facts.newInstanceId, networkInterfaceId: facts.permitId },
];

/**
 * EC2 keeps these data volumes when it terminates the old instance. Without a mark nobody would
 * know whose they were.
 */
export const retiredVolumesOf = ({
  volumes,
  opId,
  oldInstanceId,
  volumesRetainedUntil,
  detainedUntil,
}: Pick<ChoreFacts, 'volumes' | 'opId' | 'oldInstanceId' | 'volumesRetainedUntil' | 'detainedUntil'>): Chore[] =>
  volumes
    .filter((volume) => !movesItself(volume) && (!volume.deleteOnTermination || detainedUntil !== undefined))
    .map(({ volumeId, deleteOnTermination }) => {
      const until = deleteOnTermination ? (detainedUntil ?? null) : volumesRetainedUntil;
      return {
        kind: 'retire-volume',
        instanceId: oldInstanceId,
        volumeId,
        tags: { [TAG.retiredBy]: opId, ...(until === null ? {} : { [TAG.retainUntil]: until }) },
      };
    });

/**
 * EC2 keeps what was attached after the launch when the instance is terminated. Being recovered
 * must not change what a later termination does.
 */
const disksToBind = ({ volumes, newInstanceId: instanceId, putOn }: ChoreFacts): Chore[] =>
  volumes
    .filter((volume) => volume.deleteOnTermination && isPutOnLater(volume))
    .map(({ deviceName, volumeId: of }) => {
      const volumeId = putOn?.get(of);
      return { kind: 'bind-disk', instanceId, deviceName, ...(volumeId !== undefined && { volumeId }) };
    });

/** Names a chore within its recovery. */
export function choreKey(chore: Chore): string {
  switch (chore.kind) {
    case 'volume-tags':
      return `tag-${chore.deviceName}`;
    case 'bind-interface':
      return `bind-${chore.networkInterfaceId}`;
    case 'bind-disk':
      return `bind-${chore.deviceName}`;
    case 'protect':
    case 'reboot-migration':
    case 'dns-records':
      return chore.kind;
    case 'retire-volume':
      return `retire-${chore.volumeId}`;
  }
}

/** Tells people what is not in place yet. */
export function choreText(chore: Chore): string {
  switch (chore.kind) {
    case 'volume-tags':
      return `tags of the volume at ${chore.deviceName} of ${chore.instanceId}: ${Object.keys(chore.tags).join(', ')}`;
    case 'bind-interface':
      return `${chore.networkInterfaceId} is to be deleted together with ${chore.instanceId}`;
    case 'bind-disk':
      return `the volume at ${chore.deviceName} is to be deleted together with ${chore.instanceId}`;
    case 'protect': {
      const kinds = [chore.stop ? 'stop' : '', chore.termination ? 'termination' : ''].filter((kind) => kind !== '');
      return `${kinds.join(' and ')} protection of ${chore.instanceId}`;
    }
    case 'reboot-migration':
      return `reboot migration of ${chore.instanceId} is to be ${chore.value}`;
    case 'dns-records':
      return `DNS records of the resource name of ${chore.instanceId}: ${recordsOf(chore)}`;
    case 'retire-volume':
      return `marks on ${chore.volumeId}, which ${chore.instanceId} leaves behind`;
  }
}

/**
 * The volume a chore is about, by what is seen of its instance. Null: there is none, or it cannot
 * be told.
 */
export function choreVolumeId(chore: Chore, instance: CloudInstance | null): string | null {
  if (chore.kind === 'retire-volume') return chore.volumeId;
  if (chore.kind !== 'volume-tags') return null;
  return instance?.volumes.find((volume) => volume.deviceName === chore.deviceName)?.volumeId ?? null;
}

/** The next move of a chore. */
export function choreMove(chore: Chore, sight: ChoreSight): ChoreMove {
  if (chore.kind === 'retire-volume') return retireVolume(chore, sight.volume);
  const { instance } = sight;
  if (instance === null) return stuck('NotShown', `EC2 does not show ${chore.instanceId}`);
  if (instance.state === 'terminated') return { kind: 'moot', why: `${chore.instanceId} is terminated` };
  switch (chore.kind) {
    case 'volume-tags':
      return tagVolume(chore, instance, sight.volume);
    case 'bind-interface':
      return bindInterface(chore, instance);
    case 'bind-disk':
      return bindDisk(chore, instance);
    case 'protect':
      return protect(chore, sight.protection);
    case 'reboot-migration':
    case 'dns-records':
      return putBack(chore, instance);
  }
}

const stuck = (code: string, text: string): ChoreMove => ({ kind: 'stuck', code, text });

type OfKind<K extends Chore['kind']> = Extract<Chore, { kind: K }>;

function retireVolume(chore: OfKind<'retire-volume'>, volume: CloudVolume | null | undefined): ChoreMove {
  if (volume === null) return stuck('NotShown', `EC2 does not show ${chore.volumeId}`);
  if (volume?.state === 'deleted' || volume?.state === 'deleting')
    return { kind: 'moot', why: `${chore.volumeId} is deleted` };
  const taker = volume?.attachments.find((one) => one.instanceId !== chore.instanceId);
  if (taker) return { kind: 'moot', why: `${chore.volumeId} is attached to ${taker.instanceId} now` };
  const move = addTags(chore.volumeId, chore.tags, volume);
  // It stays on the books, which list it. The mark is for people who meet it in EC2.
  return move.kind === 'stuck' ? { kind: 'moot', why: move.text } : move;
}

function tagVolume(
  chore: OfKind<'volume-tags'>,
  instance: CloudInstance,
  volume: CloudVolume | null | undefined,
): ChoreMove {
  const volumeId = choreVolumeId(chore, instance);
  if (volumeId === null) return stuck('NotShown', `${instance.instanceId} shows no volume at ${chore.deviceName}`);
  if (volume === null) return stuck('NotShown', `EC2 does not show ${volumeId}`);
  return addTags(volumeId, chore.tags, volume);
}

/**
 * Tags that are there already stay as they are, because a person may have changed them. Of the
 * others it adds as many as there is room for, in order of their names.
 */
function addTags(resourceId: string, tags: Tags, volume: CloudVolume | undefined): ChoreMove {
  const there = volume?.tags ?? {};
  const missing = Object.entries(tags).filter(([key]) => there[key] === undefined);
  if (missing.length === 0) return { kind: 'done' };
  const room = MAX_TAGS - Object.keys(there).filter((key) => !key.startsWith('aws:')).length;
  const names = missing.map(([key]) => key).join(', ');
  if (room <= 0) return stuck('TagLimitExceeded', `${resourceId} has ${MAX_TAGS} tags: no room for ${names}`);
  return { kind: 'call', call: { kind: 'tag', resourceId, tags: Object.fromEntries(missing.slice(0, room)) } };
}

function bindInterface(chore: OfKind<'bind-interface'>, instance: CloudInstance): ChoreMove {
  const { networkInterfaceId } = chore;
  const found = instance.networkInterfaces.find((one) => one.networkInterfaceId === networkInterfaceId);
  if (!found) return stuck('NotShown', `${instance.instanceId} does not show ${networkInterfaceId}`);
  if (found.deleteOnTermination) return { kind: 'done' };
  const { attachmentId } = found;
  if (attachmentId === null) return stuck('NotShown', `EC2 names no attachment of ${networkInterfaceId}`);
  return { kind: 'call', call: { kind: 'bind', networkInterfaceId, attachmentId } };
}

/** **S** A disk that somebody has put under its device since would be deleted with the instance. */
function bindDisk(chore: OfKind<'bind-disk'>, instance: CloudInstance): ChoreMove {
  const { instanceId, volumeId } = chore;
  const disk = instance.volumes.find((one) =>
    volumeId === undefined ? one.deviceName === chore.deviceName : one.volumeId === volumeId,
  );
  if (!disk) return stuck('NotShown', `${instanceId} does not show ${volumeId ?? 'a volume'} at ${chore.deviceName}`);
  const { deviceName } = disk;
  // A look from when it was a stopped seed shows the disk of the seed, which goes with it.
  if (disk.deleteOnTermination && instance.state === 'running') return { kind: 'done' };
  return { kind: 'call', call: { kind: 'bind-disk', instanceId, deviceName } };
}

const recordsOf = ({ a, aaaa }: OfKind<'dns-records'>): string =>
  [...(a ? ['A'] : []), ...(aaaa ? ['AAAA'] : [])].join(' and ');

/** An option that the instance shows is compared; the call says all of it again. */
function putBack(chore: OfKind<'reboot-migration' | 'dns-records'>, { raw }: CloudInstance): ChoreMove {
  if (chore.kind === 'reboot-migration') {
    const isThere = rawOf(raw.MaintenanceOptions).RebootMigration === chore.value;
    return isThere ? { kind: 'done' } : { kind: 'call', call: chore };
  }
  const { EnableResourceNameDnsARecord: a, EnableResourceNameDnsAAAARecord: aaaa } = rawOf(raw.PrivateDnsNameOptions);
  return a === chore.a && aaaa === chore.aaaa ? { kind: 'done' } : { kind: 'call', call: chore };
}

function protect(chore: OfKind<'protect'>, seen: ChoreSight['protection']): ChoreMove {
  const stop = chore.stop && seen?.stop !== true;
  const termination = chore.termination && seen?.termination !== true;
  if (!stop && !termination) return { kind: 'done' };
  const protection = { ...(stop ? { stop } : {}), ...(termination ? { termination } : {}) } as const;
  return { kind: 'call', call: { kind: 'protect', instanceId: chore.instanceId, protection } };
}
