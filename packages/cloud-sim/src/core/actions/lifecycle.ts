import { firstReadsMs, slowBoot } from '../initialization.ts';
import { INSTANCE_TYPES } from '../instance-types.ts';
import type { KeyFault } from '../kms/keys.ts';
import type { SimInstance, SimInstanceState } from '../model.ts';
import type { Region } from '../region.ts';
import { runFirstBoot } from './first-boot.ts';
import { disassociateAddressesOf, destroyInterface, releaseInterface } from './network-interfaces-model.ts';

/**
 * Transitions of an instance, called when they are due. One asked for under an older generation is
 * void.
 */

const METAL_FACTOR = 20;

export const metalFactor = (instance: SimInstance): number =>
  INSTANCE_TYPES.get(instance.instanceType)?.bareMetal ? METAL_FACTOR : 1;

const current = (region: Region, id: string, generation: number): SimInstance | undefined => {
  const instance = region.instances.get(id);
  return instance?.generation === generation ? instance : undefined;
};

/** Enters a state now. */
export function enter(
  region: Region,
  instance: SimInstance,
  state: SimInstanceState,
  patch: Partial<SimInstance> = {},
  scheduledMs: number | null = null,
  detail: Readonly<Record<string, unknown>> = {},
  settled = false,
): SimInstance {
  const next = { ...instance, ...patch, state };
  region.instances.put(next, region.nowMs, settled);
  region.transition('instance', instance.id, instance.state, state, scheduledMs, { az: instance.az, ...detail });
  return next;
}

function settleAttachments(region: Region, instance: SimInstance, settled: boolean): void {
  for (const id of instance.volumeIds) {
    const volume = region.volumes.get(id);
    const attachments = volume?.attachments.map((one) =>
      one.instanceId === instance.id && one.state === 'attaching' ? { ...one, state: 'attached' as const } : one,
    );
    if (attachments) region.volumes.update(id, { attachments }, region.nowMs, settled);
  }
  for (const id of instance.networkInterfaceIds) {
    const attachment = region.networkInterfaces.get(id)?.attachment;
    if (attachment?.state !== 'attaching') continue;
    region.networkInterfaces.update(id, { attachment: { ...attachment, state: 'attached' } }, region.nowMs, settled);
  }
}

const keyFaultOf = (region: Region, { volumeIds }: SimInstance): KeyFault | null =>
  volumeIds.map((id) => region.kmsKeys.fault(region.volumes.get(id)?.kmsKeyId ?? null)).find((one) => one !== null) ??
  null;

/**
 * Fails an instance whose disks cannot be opened. One that was just launched is terminated; one
 * that was started is stopped again.
 */
function failForKey(region: Region, instance: SimInstance, stateReason: KeyFault, tookMs: number): void {
  if (instance.generation === 1) return finishTermination(region, instance, tookMs, stateReason);
  enter(region, instance, 'stopped', { generation: instance.generation + 1, stateReason }, tookMs);
}

/** `pending` → `running`. InstanceProcesses boots it. */
export function finishLaunch(region: Region, id: string, generation: number, tookMs: number, instant: boolean): void {
  const instance = current(region, id, generation);
  if (!instance || instance.state !== 'pending') return;
  const locked = keyFaultOf(region, instance);
  if (locked) return failForKey(region, instance, locked, tookMs);
  settleAttachments(region, instance, instant);
  runFirstBoot(region, id);
  const bootMs = firstReadsMs(region, instance.volumeIds);
  const checksMs = instant ? 0 : region.latency.sampleMs('instance.checks-ok') + bootMs;
  enter(
    region,
    region.instances.get(id) ?? instance,
    'running',
    {
      runningSinceMs: region.nowMs,
      checksOkAtMs: region.nowMs + checksMs,
      crashedAtMs: null,
      impairedFromMs: null,
      stateReason: null,
      transitionReason: '',
    },
    tookMs,
    slowBoot(bootMs),
    instant,
  );
}

const LAUNCH_FAILURES: Readonly<Record<string, string>> = {
  'Client.InternalError': 'Client.InternalError: Client error on launch',
  'Server.InternalError': 'Server.InternalError: Internal error on launch',
  'Client.InvalidSnapshot.NotFound': 'Client.InvalidSnapshot.NotFound: The specified snapshot was not found.',
  'Client.VolumeLimitExceeded': 'Client.VolumeLimitExceeded: Volume limit exceeded',
  'Server.InsufficientInstanceCapacity': 'Server.InsufficientInstanceCapacity: Insufficient capacity',
};

/**
 * `pending` → `terminated`, although RunInstances answered 200 (user guide, "Instance terminates
 * immediately").
 */
export function failLaunch(region: Region, id: string, generation: number, code: string, tookMs: number): void {
  const instance = current(region, id, generation);
  if (!instance || instance.state !== 'pending') return;
  finishTermination(region, instance, tookMs, { code, message: LAUNCH_FAILURES[code] ?? `${code}: launch failed` });
}

export function finishStop(region: Region, id: string, generation: number, tookMs: number): void {
  const instance = current(region, id, generation);
  if (!instance || instance.state !== 'stopping') return;
  if (awaitZone(region, instance, () => finishStop(region, id, generation, tookMs))) return;
  enter(
    region,
    instance,
    'stopped',
    {
      generation: generation + 1,
      runningSinceMs: null,
      checksOkAtMs: null,
      crashedAtMs: null,
      impairedFromMs: null,
      autoPublicIp: null,
      stuck: false,
      forcedStopPending: false,
    },
    tookMs,
    instance.lateWritesMs === null ? {} : { lateWritesMs: instance.lateWritesMs },
  );
  if (instance.lateWritesMs !== null) writeLate(region, id, instance.lateWritesMs);
  for (const volumeId of instance.volumeIds) finishBusyDetach(region, volumeId, id);
  if (instance.busyAfterStopMs !== null) keepBusy(region, id, instance.busyAfterStopMs);
}

const LOOK_AGAIN_MS = 5_000;

/** Nothing ends in a zone whose hosts are down. True: it is tried again later. */
function awaitZone(region: Region, { az }: SimInstance, retry: () => void): boolean {
  if (!region.failedZones.has(az)) return false;
  region.laterIn(LOOK_AGAIN_MS / region.latency.speed, retry);
  return true;
}

/**
 * "In rare cases" a forced stop "results in post-stop writes to EBS volumes" (EC2 user guide, Stop
 * methods). What is detached, is written to no more.
 */
function writeLate(region: Region, instanceId: string, lateMs: number): void {
  region.laterIn(lateMs, () => {
    for (const volumeId of region.instances.get(instanceId)?.volumeIds ?? []) {
      region.transition('volume', volumeId, 'in-use', 'in-use', null, { written: true, instanceId });
    }
  });
}

/**
 * EC2 may show a volume as `busy` long after its instance has stopped
 * (kubernetes-sigs/aws-ebs-csi-driver 1032).
 */
function keepBusy(region: Region, instanceId: string, busyMs: number): void {
  const show = (state: 'busy' | 'attached') => {
    for (const volumeId of region.instances.get(instanceId)?.volumeIds ?? []) {
      const attachments = region.volumes
        .get(volumeId)
        ?.attachments.map((one) => (one.instanceId === instanceId ? { ...one, state } : one));
      if (attachments) region.volumes.update(volumeId, { attachments }, region.nowMs);
    }
  };
  show('busy');
  region.laterIn(busyMs, () => show('attached'));
}

/** The stop of its instance releases a volume that was busy. */
function finishBusyDetach(region: Region, volumeId: string, instanceId: string): void {
  const volume = region.volumes.get(volumeId);
  if (volume?.attachments.some((one) => one.instanceId === instanceId && one.state === 'busy')) {
    releaseVolume(region, volumeId, instanceId, null);
  }
}

/** Takes the attachment off on both sides. The volume becomes `available`. */
export function releaseVolume(region: Region, volumeId: string, instanceId: string, scheduledMs: number | null): void {
  const volume = region.volumes.get(volumeId);
  if (!volume) return;
  const attachments = volume.attachments.filter((one) => one.instanceId !== instanceId);
  const state = attachments.length > 0 ? 'in-use' : 'available';
  region.volumes.update(volumeId, { attachments, state, busy: false }, region.nowMs);
  const instance = region.instances.get(instanceId);
  if (instance) {
    const volumeIds = instance.volumeIds.filter((id) => id !== volumeId);
    region.instances.update(instanceId, { volumeIds }, region.nowMs);
  }
  if (state !== volume.state) region.transition('volume', volumeId, volume.state, state, scheduledMs, { instanceId });
}

function dropVolumes(region: Region, instance: SimInstance): void {
  for (const volumeId of instance.volumeIds) {
    const volume = region.volumes.get(volumeId);
    const attachment = volume?.attachments.find((one) => one.instanceId === instance.id);
    if (!volume || !attachment) continue;
    const last = volume.attachments.length === 1;
    if (attachment.deleteOnTermination && last) {
      region.volumes.remove(volumeId, region.nowMs);
      region.transition('volume', volumeId, volume.state, null, null, { deletedWith: instance.id });
    } else {
      releaseVolume(region, volumeId, instance.id, null);
    }
  }
}

function dropInterfaces(region: Region, instance: SimInstance): void {
  for (const id of instance.networkInterfaceIds) {
    const one = region.networkInterfaces.get(id);
    if (!one) continue;
    disassociateAddressesOf(region, id);
    if (one.attachment?.deleteOnTermination) destroyInterface(region, one);
    else releaseInterface(region, id);
  }
}

/**
 * Enters `terminated`. Volumes and interfaces are deleted or set free, and addresses are
 * disassociated. The entry disappears about an hour later.
 */
export function finishTermination(
  region: Region,
  instance: SimInstance,
  tookMs: number | null,
  stateReason: SimInstance['stateReason'] = instance.stateReason,
): void {
  dropVolumes(region, instance);
  dropInterfaces(region, instance);
  const gone = {
    generation: instance.generation + 1,
    stateReason,
    volumeIds: [],
    networkInterfaceIds: [],
    autoPublicIp: null,
    runningSinceMs: null,
    checksOkAtMs: null,
  };
  enter(region, instance, 'terminated', gone, tookMs);
  region.laterIn(region.latency.sampleMs('instance.terminated-visible'), () => {
    region.instances.remove(instance.id, region.nowMs);
    region.transition('instance', instance.id, 'terminated', null);
  });
}

export function finishShuttingDown(region: Region, id: string, generation: number, tookMs: number): void {
  const instance = current(region, id, generation);
  if (instance?.state !== 'shutting-down') return;
  if (awaitZone(region, instance, () => finishShuttingDown(region, id, generation, tookMs))) return;
  finishTermination(region, instance, tookMs);
}
