import type {
  CreateSnapshotRequest,
  CreateSnapshotsRequest,
  CreateSnapshotsResult,
  DeleteSnapshotRequest,
  DescribeSnapshotsRequest,
  DescribeSnapshotsResult,
  Snapshot,
  TagSpecification,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable, tagList } from '../filters.ts';
import { look, need } from '../lookup.ts';
import type { SimSnapshot, SimTags, SimVolume } from '../model.ts';
import { page } from '../pages.ts';
import { tagsFor, withTags } from '../tags.ts';
import { ACCOUNT_ID, type Call, faultOf, type Region } from '../region.ts';
import { date } from './common.ts';

/**
 * Share of a volume that changed since its last snapshot. 5 % after a first full one is a plausible
 * figure.
 */
const CHANGED_RATIO = 0.05;

function progress(one: SimSnapshot, nowMs: number): string {
  if (one.state === 'completed') return '100%';
  if (one.state === 'error') return '0%';
  const share = (nowMs - one.startedAtMs) / Math.max(1, one.dueAtMs - one.startedAtMs);
  return `${Math.min(99, Math.max(0, Math.floor(share * 100)))}%`;
}

const snapshotView = (one: SimSnapshot, nowMs: number): Snapshot => ({
  SnapshotId: one.id,
  VolumeId: one.volumeId,
  VolumeSize: one.sizeGiB,
  State: one.state,
  StateMessage: one.state === 'error' ? 'Another snapshot of the set failed' : undefined,
  Progress: progress(one, nowMs),
  StartTime: date(one.startedAtWallMs),
  CompletionTime: one.completedAtWallMs === null ? undefined : date(one.completedAtWallMs),
  Encrypted: one.encrypted,
  KmsKeyId: one.kmsKeyId ?? undefined,
  OwnerId: ACCOUNT_ID,
  Description: one.description,
  StorageTier: 'standard',
  FullSnapshotSizeInBytes: one.sizeGiB * 1024 ** 3,
  Tags: tagList(one.tags),
});

const SNAPSHOT_FILTERS: FilterTable<SimSnapshot> = {
  'snapshot-id': (one) => [one.id],
  'volume-id': (one) => [one.volumeId],
  status: (one) => [one.state],
  description: (one) => [one.description],
  'owner-id': () => [ACCOUNT_ID],
  'volume-size': (one) => [String(one.sizeGiB)],
  encrypted: (one) => [String(one.encrypted)],
  'storage-tier': () => ['standard'],
  progress: (one) => [one.state === 'completed' ? '100%' : '0%'],
};

export function describeSnapshots(
  region: Region,
  call: Call,
  input: DescribeSnapshotsRequest,
): DescribeSnapshotsResult {
  const found = look(call, region.snapshots, 'snapshot', input.SnapshotIds);
  const matching = applyFilters(found, input.Filters, SNAPSHOT_FILTERS);
  const limits = { min: 5, max: 1_000, unpaginated: 1_000 };
  const { items, nextToken } = page('DescribeSnapshots', matching, input, limits, input.SnapshotIds);
  return { Snapshots: items.map((one) => snapshotView(one, call.nowMs)), NextToken: nextToken };
}

/**
 * @throws ConcurrentSnapshotLimitExceeded, SnapshotCreationPerVolumeRateExceeded, IncorrectState
 */
function requireSnapshotable(region: Region, call: Call, volume: SimVolume): void {
  if (volume.state !== 'available' && volume.state !== 'in-use') {
    throw new Ec2Error('IncorrectState', `Volume '${volume.id}' is in state '${volume.state}'`);
  }
  if (call.instant) return;
  const pending = region.snapshots.all().filter((one) => one.volumeId === volume.id && one.state === 'pending').length;
  if (pending >= region.quotas.pendingSnapshotsPerVolume) {
    throw new Ec2Error(
      'ConcurrentSnapshotLimitExceeded',
      `Maximum allowed in-progress snapshots for a single volume exceeded (${pending}).`,
    );
  }
  const intervalMs = region.latency.sampleMs('snapshot.interval-per-volume');
  if (volume.lastSnapshotAtMs !== null && region.nowMs - volume.lastSnapshotAtMs < intervalMs) {
    throw new Ec2Error(
      'SnapshotCreationPerVolumeRateExceeded',
      'The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep interval between requests.',
    );
  }
}

function durationMs(region: Region, call: Call, volume: SimVolume): number {
  if (call.instant) return 0;
  const earlier = region.snapshots.all().some((one) => one.volumeId === volume.id && one.state === 'completed');
  const changedGiB = volume.sizeGiB * (earlier || volume.snapshotId !== null ? CHANGED_RATIO : 1);
  const minimumMs = region.latency.sampleMs('snapshot.minimum');
  return Math.max(minimumMs, changedGiB * region.latency.sampleMs('snapshot.per-changed-gib'));
}

interface Taken {
  readonly volume: SimVolume;
  readonly description: string;
  readonly tags: SimTags;
}

/** Takes a snapshot of this moment, that of the acceptance. */
function take(region: Region, call: Call, taken: Taken): { snapshot: SimSnapshot; tookMs: number } {
  const { volume } = taken;
  const tookMs = durationMs(region, call, volume);
  const snapshot: SimSnapshot = {
    id: region.newId('snap'),
    volumeId: volume.id,
    state: 'pending',
    sizeGiB: volume.sizeGiB,
    encrypted: volume.encrypted,
    kmsKeyId: volume.kmsKeyId,
    description: taken.description,
    startedAtMs: region.nowMs,
    startedAtWallMs: region.wallMs(),
    dueAtMs: region.nowMs + tookMs,
    completedAtWallMs: null,
    cloudInitRanFor: volume.cloudInitRanFor,
    tags: taken.tags,
  };
  region.snapshots.put(snapshot, region.nowMs, call.instant);
  const codes = region.productCodes.get(volume.snapshotId ?? volume.id);
  if (codes) region.productCodes.set(snapshot.id, codes);
  region.volumes.update(volume.id, { lastSnapshotAtMs: region.nowMs }, region.nowMs, call.instant);
  region.transition('snapshot', snapshot.id, null, 'pending', null, { volumeId: volume.id });
  return { snapshot, tookMs };
}

/** A snapshot is written in its volume's zone, and lost with the zone until it is completed. */
const zoneIsDown = (region: Region, { volumeId }: SimSnapshot): boolean =>
  region.failedZones.has(region.volumes.get(volumeId)?.az ?? '');

function finish(region: Region, call: Call, id: string, tookMs: number, broken: boolean): void {
  region.laterIn(tookMs, () => {
    const now = region.snapshots.get(id);
    if (now?.state !== 'pending') return;
    const failed = broken || zoneIsDown(region, now);
    const state = failed ? 'error' : 'completed';
    const completedAtWallMs = failed ? null : region.wallMs();
    region.snapshots.update(id, { state, completedAtWallMs }, region.nowMs, call.instant);
    region.transition('snapshot', id, 'pending', state, tookMs);
  });
}

/** Fails the whole set when a key of one of them cannot be used at that moment. */
function failForKeys(region: Region, call: Call, set: readonly SimSnapshot[], afterMs: number): void {
  region.laterIn(afterMs, () => {
    if (set.every((one) => region.kmsKeys.fault(one.kmsKeyId) === null)) return;
    for (const { id } of set) {
      if (region.snapshots.get(id)?.state !== 'pending') continue;
      region.snapshots.update(id, { state: 'error' }, region.nowMs, call.instant);
      region.transition('snapshot', id, 'pending', 'error', afterMs);
    }
  });
}

function requireRoom(region: Region, count: number): void {
  if (region.snapshots.size + count > region.quotas.snapshots) {
    throw new Ec2Error('SnapshotLimitExceeded', `The snapshot limit of ${region.quotas.snapshots} is exceeded`);
  }
}

/** `CreateSnapshot`. There is no ClientToken, so a repeat is a second snapshot. */
export function createSnapshot(region: Region, call: Call, input: CreateSnapshotRequest): Snapshot {
  const volume = need(call, region.volumes, 'volume', input.VolumeId);
  requireSnapshotable(region, call, volume);
  requireRoom(region, 1);
  const tags = tagsFor(input.TagSpecifications, 'snapshot');
  const { snapshot, tookMs } = take(region, call, { volume, description: input.Description ?? '', tags });
  failForKeys(region, call, [snapshot], tookMs);
  finish(region, call, snapshot.id, tookMs, faultOf(call, 'snapshot-error') !== undefined);
  return snapshotView(snapshot, region.nowMs);
}

function volumesOf(region: Region, call: Call, input: CreateSnapshotsRequest): SimVolume[] {
  const instance = need(call, region.instances, 'instance', input.InstanceSpecification?.InstanceId);
  region.requireZone(instance.az);
  if (instance.state === 'terminated' || instance.state === 'pending' || instance.state === 'shutting-down') {
    throw new Ec2Error('IncorrectState', `The instance '${instance.id}' is ${instance.state}`);
  }
  const excluded = new Set(input.InstanceSpecification?.ExcludeDataVolumeIds ?? []);
  const volumes = instance.volumeIds
    .flatMap((id) => region.volumes.get(id) ?? [])
    .filter((volume) => {
      const device = volume.attachments.find((a) => a.instanceId === instance.id)?.device;
      if (device === instance.rootDeviceName) return !input.InstanceSpecification?.ExcludeBootVolume;
      return !excluded.has(volume.id);
    });
  if (volumes.length === 0)
    throw new Ec2Error('InvalidParameterValue', `No volume of ${instance.id} is left to snapshot`);
  return volumes;
}

function tagsOf(input: CreateSnapshotsRequest, volume: SimVolume): SimTags {
  const specifications: TagSpecification[] = input.TagSpecifications ?? [];
  const own = tagsFor(specifications, 'snapshot');
  if (input.CopyTagsFromSource !== 'volume') return own;
  return withTags(
    volume.tags,
    Object.entries(own).map(([Key, Value]) => ({ Key, Value })),
  );
}

/**
 * `CreateSnapshots`, at one moment for all volumes. If one fails, all end in `error`. There is no
 * ClientToken.
 */
export function createSnapshots(region: Region, call: Call, input: CreateSnapshotsRequest): CreateSnapshotsResult {
  const volumes = volumesOf(region, call, input);
  for (const volume of volumes) requireSnapshotable(region, call, volume);
  requireRoom(region, volumes.length);
  const failed = faultOf(call, 'snapshot-error') !== undefined;
  const description = input.Description ?? '';
  const taken = volumes.map((volume) => take(region, call, { volume, description, tags: tagsOf(input, volume) }));
  // A failing set fails together, when the first of them would have completed.
  const failAfterMs = Math.min(...taken.map((one) => one.tookMs));
  failForKeys(
    region,
    call,
    taken.map((one) => one.snapshot),
    failAfterMs,
  );
  for (const { snapshot, tookMs } of taken) finish(region, call, snapshot.id, failed ? failAfterMs : tookMs, failed);
  return {
    Snapshots: taken.map(({ snapshot }) => ({
      SnapshotId: snapshot.id,
      VolumeId: snapshot.volumeId,
      VolumeSize: snapshot.sizeGiB,
      State: 'pending' as const,
      Progress: '0%',
      StartTime: date(snapshot.startedAtWallMs),
      Encrypted: snapshot.encrypted,
      OwnerId: ACCOUNT_ID,
      Description: snapshot.description,
      Tags: tagList(snapshot.tags),
    })),
  };
}

/** `DeleteSnapshot`. @throws InvalidSnapshot.InUse while an image needs it */
export function deleteSnapshot(region: Region, call: Call, input: DeleteSnapshotRequest): object {
  const snapshot = need(call, region.snapshots, 'snapshot', input.SnapshotId);
  const image = region.images
    .all()
    .find((one) => one.request.BlockDeviceMappings?.some((mapping) => mapping.Ebs?.SnapshotId === snapshot.id));
  if (image) {
    throw new Ec2Error('InvalidSnapshot.InUse', `The snapshot ${snapshot.id} is currently in use by ${image.id}`);
  }
  region.snapshots.remove(snapshot.id, region.nowMs);
  region.transition('snapshot', snapshot.id, snapshot.state, null);
  return {};
}
