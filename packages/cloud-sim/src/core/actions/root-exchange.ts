import { firstReadsMs, initializationOf, slowBoot } from '../initialization.ts';
import type { SimInstance, SimReplaceRootVolumeTask, SimVolume } from '../model.ts';
import type { Region } from '../region.ts';
import { setAttachments } from './common.ts';
import { runFirstBoot } from './first-boot.ts';
import { releaseVolume } from './lifecycle.ts';

/** Where the content of a new root comes from. */
function snapshotOf(region: Region, task: SimReplaceRootVolumeTask, instance: SimInstance): string | null {
  if (task.snapshotId !== null) return task.snapshotId;
  const imageId = task.imageId ?? instance.imageId;
  return region.images.get(imageId)?.rootSnapshotId ?? null;
}

/** A root that is made for the task. It is like the one that it replaces. */
function makeRoot(region: Region, task: SimReplaceRootVolumeTask, instance: SimInstance, old: SimVolume): SimVolume {
  const snapshotId = snapshotOf(region, task, instance);
  const snapshot = snapshotId === null ? undefined : region.snapshots.get(snapshotId);
  const id = region.newId('vol');
  const encrypted = old.encrypted || (snapshot?.encrypted ?? false);
  const wish = { type: 'default', volumeId: id, sizeGiB: old.sizeGiB, rateMiBps: undefined } as const;
  const source = { id: snapshotId, az: old.az };
  const made: SimVolume = {
    ...old,
    id,
    state: 'available',
    encrypted,
    kmsKeyId: encrypted ? (old.kmsKeyId ?? snapshot?.kmsKeyId ?? null) : null,
    snapshotId,
    sourceVolumeId: null,
    initialization: initializationOf(region, { ...wish, snapshot: source, instant: false }),
    createdAtWallMs: region.wallMs(),
    attachments: [],
    lastSnapshotAtMs: null,
    cloudInitRanFor: snapshot?.cloudInitRanFor ?? null,
    tags: {},
  };
  region.volumes.put(made, region.nowMs);
  region.transition('volume', id, null, 'available', null, { snapshotId });
  return made;
}

/** The guest is gone and boots again, as in a reboot. Without a root nothing boots. */
export function restartGuest(region: Region, instanceId: string, withoutRoot: boolean): void {
  const instance = region.instances.get(instanceId);
  if (instance?.state !== 'running') return;
  if (withoutRoot) {
    const root = rootNow(region, instance);
    if (root) releaseVolume(region, root.id, instanceId, null);
    region.transition('instance', instanceId, 'running', 'running', null, { az: instance.az, crash: true });
    region.instances.update(instanceId, { crashedAtMs: region.nowMs, impairedFromMs: region.nowMs }, region.nowMs);
    return;
  }
  const bootMs = firstReadsMs(region, instance.volumeIds);
  const checksOkAtMs = region.nowMs + region.latency.sampleMs('instance.checks-ok') + bootMs;
  region.instances.update(instanceId, { crashedAtMs: null, impairedFromMs: null, checksOkAtMs }, region.nowMs);
  const detail = { az: instance.az, reboot: true, ...slowBoot(bootMs) };
  region.transition('instance', instanceId, 'running', 'running', null, detail);
}

const rootNow = (region: Region, instance: SimInstance): SimVolume | undefined =>
  instance.volumeIds
    .flatMap((id) => region.volumes.get(id) ?? [])
    .find((one) => one.attachments.some((a) => a.instanceId === instance.id && a.device === instance.rootDeviceName));

function attachRoot(region: Region, instance: SimInstance, root: SimVolume, deleteOnTermination: boolean): void {
  const now = region.instances.get(instance.id);
  if (!now) return;
  const attachment = {
    instanceId: instance.id,
    device: instance.rootDeviceName,
    state: 'attached' as const,
    attachedAtWallMs: region.wallMs(),
    deleteOnTermination,
  };
  setAttachments(region, root, [attachment]);
  region.instances.update(instance.id, { volumeIds: [root.id, ...now.volumeIds] }, region.nowMs);
}

function dropOld(region: Region, task: SimReplaceRootVolumeTask, old: SimVolume): void {
  releaseVolume(region, old.id, task.instanceId, null);
  if (!task.deleteReplaced) return;
  region.volumes.remove(old.id, region.nowMs);
  region.transition('volume', old.id, 'available', null, null, { replacedAtRootOf: task.instanceId });
}

/** The volume that was named may have been taken or lost since. */
function newRoot(
  region: Region,
  task: SimReplaceRootVolumeTask,
  instance: SimInstance,
  old: SimVolume,
): SimVolume | null {
  if (task.volumeId === null) return makeRoot(region, task, instance, old);
  const named = region.volumes.get(task.volumeId);
  return named?.state === 'available' && named.attachments.length === 0 ? named : null;
}

/**
 * Puts the new root in the place of the old one and boots from it. It fails when the instance has
 * stopped meanwhile, the named volume is not free any more, or its key cannot be used: then the old
 * root is still attached, and the instance was rebooted.
 */
export function exchangeRoot(region: Region, task: SimReplaceRootVolumeTask): 'succeeded' | 'failed' {
  const instance = region.instances.get(task.instanceId);
  const old = instance && rootNow(region, instance);
  if (instance?.state !== 'running' || !old) return 'failed';
  const root = newRoot(region, task, instance, old);
  if (!root || region.impairedZones.has(instance.az) || region.kmsKeys.fault(root.kmsKeyId) !== null) {
    restartGuest(region, instance.id, false);
    return 'failed';
  }
  const bound = old.attachments.find((one) => one.instanceId === instance.id)?.deleteOnTermination ?? true;
  dropOld(region, task, old);
  attachRoot(region, instance, root, bound);
  const formerRootVolumeIds = [...instance.formerRootVolumeIds, old.id];
  region.instances.update(instance.id, { formerRootVolumeIds }, region.nowMs);
  runFirstBoot(region, instance.id);
  restartGuest(region, instance.id, false);
  return 'succeeded';
}
