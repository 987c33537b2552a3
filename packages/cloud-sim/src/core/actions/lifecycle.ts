import { INSTANCE_TYPES } from '../instance-types.ts';
import type { KeyFault } from '../kms/keys.ts';
import type { SimInstance, SimInstanceState } from '../model.ts';
import type { World } from '../world.ts';
import { runFirstBoot } from './first-boot.ts';
import { disassociateAddressesOf, destroyInterface, releaseInterface } from './network-interfaces-model.ts';

/** Transitions of an instance, called when they are due. One asked for under an older generation is void. */

const METAL_FACTOR = 20;

export const metalFactor = (instance: SimInstance): number =>
  INSTANCE_TYPES.get(instance.instanceType)?.bareMetal ? METAL_FACTOR : 1;

const current = (world: World, id: string, generation: number): SimInstance | undefined => {
  const instance = world.instances.get(id);
  return instance?.generation === generation ? instance : undefined;
};

/** Enters a state now. */
export function enter(
  world: World,
  instance: SimInstance,
  state: SimInstanceState,
  patch: Partial<SimInstance> = {},
  scheduledMs: number | null = null,
  detail: Readonly<Record<string, unknown>> = {},
  settled = false,
): SimInstance {
  const next = { ...instance, ...patch, state };
  world.instances.put(next, world.nowMs, settled);
  world.transition('instance', instance.id, instance.state, state, scheduledMs, { az: instance.az, ...detail });
  return next;
}

function settleAttachments(world: World, instance: SimInstance, settled: boolean): void {
  for (const id of instance.volumeIds) {
    const volume = world.volumes.get(id);
    const attachments = volume?.attachments.map((one) =>
      one.instanceId === instance.id && one.state === 'attaching' ? { ...one, state: 'attached' as const } : one,
    );
    if (attachments) world.volumes.update(id, { attachments }, world.nowMs, settled);
  }
  for (const id of instance.networkInterfaceIds) {
    const attachment = world.networkInterfaces.get(id)?.attachment;
    if (attachment?.state !== 'attaching') continue;
    world.networkInterfaces.update(id, { attachment: { ...attachment, state: 'attached' } }, world.nowMs, settled);
  }
}

const keyFaultOf = (world: World, { volumeIds }: SimInstance): KeyFault | null =>
  volumeIds.map((id) => world.kmsKeys.fault(world.volumes.get(id)?.kmsKeyId ?? null)).find((one) => one !== null) ??
  null;

/** Its disks cannot be opened: one that was just launched is terminated, one that was started is stopped again. */
function failForKey(world: World, instance: SimInstance, stateReason: KeyFault, tookMs: number): void {
  if (instance.generation === 1) return finishTermination(world, instance, tookMs, stateReason);
  enter(world, instance, 'stopped', { generation: instance.generation + 1, stateReason }, tookMs);
}

/** `pending` → `running`: the machine room boots it. */
export function finishLaunch(world: World, id: string, generation: number, tookMs: number, instant: boolean): void {
  const instance = current(world, id, generation);
  if (!instance || instance.state !== 'pending') return;
  const locked = keyFaultOf(world, instance);
  if (locked) return failForKey(world, instance, locked, tookMs);
  settleAttachments(world, instance, instant);
  runFirstBoot(world, id);
  const checksMs = instant ? 0 : world.latency.sampleMs('instance.checks-ok');
  enter(
    world,
    world.instances.get(id) ?? instance,
    'running',
    {
      runningSinceMs: world.nowMs,
      checksOkAtMs: world.nowMs + checksMs,
      crashedAtMs: null,
      impairedFromMs: null,
      stateReason: null,
      transitionReason: '',
    },
    tookMs,
    {},
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

/** `pending` → `terminated`, although RunInstances answered 200 (user guide, "Instance terminates immediately"). */
export function failLaunch(world: World, id: string, generation: number, code: string, tookMs: number): void {
  const instance = current(world, id, generation);
  if (!instance || instance.state !== 'pending') return;
  finishTermination(world, instance, tookMs, { code, message: LAUNCH_FAILURES[code] ?? `${code}: launch failed` });
}

export function finishStop(world: World, id: string, generation: number, tookMs: number): void {
  const instance = current(world, id, generation);
  if (!instance || instance.state !== 'stopping') return;
  enter(
    world,
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
  );
  for (const volumeId of instance.volumeIds) finishBusyDetach(world, volumeId, id);
  if (instance.busyAfterStopMs !== null) keepBusy(world, id, instance.busyAfterStopMs);
}

/** EC2 may show a volume as `busy` long after its instance has stopped (kubernetes-sigs/aws-ebs-csi-driver 1032). */
function keepBusy(world: World, instanceId: string, busyMs: number): void {
  const show = (state: 'busy' | 'attached') => {
    for (const volumeId of world.instances.get(instanceId)?.volumeIds ?? []) {
      const attachments = world.volumes.get(volumeId)?.attachments.map((one) => ({ ...one, state }));
      if (attachments) world.volumes.update(volumeId, { attachments }, world.nowMs);
    }
  };
  show('busy');
  world.laterIn(busyMs, () => show('attached'));
}

/** A volume that was busy is let go by the stop of its instance. */
function finishBusyDetach(world: World, volumeId: string, instanceId: string): void {
  const volume = world.volumes.get(volumeId);
  if (volume?.attachments.some((one) => one.instanceId === instanceId && one.state === 'busy')) {
    releaseVolume(world, volumeId, instanceId, null);
  }
}

/** Takes the attachment off on both sides; the volume becomes `available`. */
export function releaseVolume(world: World, volumeId: string, instanceId: string, scheduledMs: number | null): void {
  const volume = world.volumes.get(volumeId);
  if (!volume) return;
  const attachments = volume.attachments.filter((one) => one.instanceId !== instanceId);
  const state = attachments.length > 0 ? 'in-use' : 'available';
  world.volumes.update(volumeId, { attachments, state, busy: false }, world.nowMs);
  const instance = world.instances.get(instanceId);
  if (instance) {
    const volumeIds = instance.volumeIds.filter((id) => id !== volumeId);
    world.instances.update(instanceId, { volumeIds }, world.nowMs);
  }
  if (state !== volume.state) world.transition('volume', volumeId, volume.state, state, scheduledMs, { instanceId });
}

function dropVolumes(world: World, instance: SimInstance): void {
  for (const volumeId of instance.volumeIds) {
    const volume = world.volumes.get(volumeId);
    const attachment = volume?.attachments.find((one) => one.instanceId === instance.id);
    if (!volume || !attachment) continue;
    const last = volume.attachments.length === 1;
    if (attachment.deleteOnTermination && last) {
      world.volumes.remove(volumeId, world.nowMs);
      world.transition('volume', volumeId, volume.state, null, null, { deletedWith: instance.id });
    } else {
      releaseVolume(world, volumeId, instance.id, null);
    }
  }
}

function dropInterfaces(world: World, instance: SimInstance): void {
  for (const id of instance.networkInterfaceIds) {
    const one = world.networkInterfaces.get(id);
    if (!one) continue;
    disassociateAddressesOf(world, id);
    if (one.attachment?.deleteOnTermination) destroyInterface(world, one);
    else releaseInterface(world, id);
  }
}

/** Into `terminated`: volumes and interfaces go or are set free, addresses are disassociated; the entry disappears about an hour later. */
export function finishTermination(
  world: World,
  instance: SimInstance,
  tookMs: number | null,
  stateReason: SimInstance['stateReason'] = instance.stateReason,
): void {
  dropVolumes(world, instance);
  dropInterfaces(world, instance);
  const gone = {
    generation: instance.generation + 1,
    stateReason,
    volumeIds: [],
    networkInterfaceIds: [],
    autoPublicIp: null,
    runningSinceMs: null,
    checksOkAtMs: null,
  };
  enter(world, instance, 'terminated', gone, tookMs);
  world.laterIn(world.latency.sampleMs('instance.terminated-visible'), () => {
    world.instances.remove(instance.id, world.nowMs);
    world.transition('instance', instance.id, 'terminated', null);
  });
}

export function finishShuttingDown(world: World, id: string, generation: number, tookMs: number): void {
  const instance = current(world, id, generation);
  if (instance?.state === 'shutting-down') finishTermination(world, instance, tookMs);
}
