import { failLaunch, enter } from './actions/lifecycle.ts';
import { firstReadsMs, slowBoot } from './initialization.ts';
import type { HostFailure, SimInstance, StatusCheck } from './model.ts';
import type { Region } from './region.ts';

const withCheck = (checks: readonly StatusCheck[], check: StatusCheck): readonly StatusCheck[] =>
  checks.includes(check) ? checks : [...checks, check];

/** True for what runs there and was not down before. */
function strike(region: Region, instance: SimInstance, how: HostFailure): boolean {
  if (instance.state !== 'running' || instance.crashedAtMs !== null) return false;
  const impairedChecks = withCheck(instance.impairedChecks, 'system');
  const impairedFromMs = region.nowMs + region.latency.sampleMs('instance.checks-impaired');
  const patch = { crashedAtMs: region.nowMs, impairedFromMs, impairedChecks };
  region.instances.update(instance.id, patch, region.nowMs);
  const detail = how === 'power' ? { crash: true } : { hang: true };
  region.transition('instance', instance.id, 'running', 'running', null, { az: instance.az, ...detail });
  return true;
}

/**
 * The host of an instance fails, and with it the system status check. Where EC2 may, it moves the
 * instance to another host after `recoverAfterMs`: same id, addresses and disks, and it boots.
 * False: nothing runs there.
 */
export function failHost(region: Region, instanceId: string, recoverAfterMs: number | null): boolean {
  const instance = region.instances.get(instanceId);
  if (!instance || !strike(region, instance, 'power')) return false;
  if (recoverAfterMs !== null) {
    region.laterIn(recoverAfterMs, () => recoverInstance(region, instanceId, instance.generation));
  }
  return true;
}

/**
 * Simplified automatic recovery (EC2 user guide). It leaves alone what was stopped meanwhile, and
 * what it was disabled for.
 */
export function recoverInstance(region: Region, instanceId: string, generation: number): void {
  const now = region.instances.get(instanceId);
  if (now?.state !== 'running' || now.generation !== generation || now.crashedAtMs === null) return;
  if (now.maintenance.autoRecovery === 'disabled' || region.failedZones.has(now.az)) return;
  comeBack(region, now, { reboot: true, recovered: true });
}

function comeBack(region: Region, instance: SimInstance, detail: Readonly<Record<string, unknown>>): void {
  const bootMs = 'resume' in detail ? 0 : firstReadsMs(region, instance.volumeIds);
  const patch = {
    crashedAtMs: null,
    impairedFromMs: null,
    impairedChecks: instance.impairedChecks.filter((check) => check !== 'system'),
    checksOkAtMs: region.nowMs + region.latency.sampleMs('instance.checks-ok') + bootMs,
  };
  region.instances.update(instance.id, patch, region.nowMs);
  region.transition('instance', instance.id, 'running', 'running', null, {
    az: instance.az,
    ...detail,
    ...slowBoot(bootMs),
  });
}

/** A launch that has not begun to run there never will. */
function endLaunches(region: Region, az: string): void {
  for (const one of region.instances.all()) {
    if (one.az !== az || one.state !== 'pending') continue;
    if (one.generation === 1) failLaunch(region, one.id, one.generation, 'Server.InternalError', 0);
    else enter(region, one, 'stopped', { generation: one.generation + 1 }, 0);
  }
}

/**
 * A zone fails: its instances lose power or hang, launches there end, its control plane answers
 * Unavailable, its volumes cannot be reached, and snapshots of them end in `error`. Copies of them
 * that were completed before stay usable everywhere. Idempotent.
 */
export function failZone(region: Region, az: string, how: HostFailure): void {
  if (region.failedZones.has(az)) return;
  const there = region.instances.all().filter((one) => one.az === az);
  region.failedZones.set(az, { how, struck: [] });
  region.impairedZones.add(az);
  endLaunches(region, az);
  const struck = there.filter((one) => strike(region, one, how)).map((one) => one.id);
  region.failedZones.set(az, { how, struck });
}

/**
 * The zone is well again. What hung goes on from where it was, as if nothing had happened; what had
 * no power boots where `instances` says so, and otherwise stays down with its checks failed.
 */
export function healZone(region: Region, az: string, instances: 'come-back' | 'stay-down'): void {
  const failure = region.failedZones.get(az);
  region.failedZones.delete(az);
  region.impairedZones.delete(az);
  for (const id of failure?.struck ?? []) {
    const now = region.instances.get(id);
    if (now?.state !== 'running' || now.crashedAtMs === null) continue;
    if (failure?.how === 'hang') comeBack(region, now, { resume: true });
    else if (instances === 'come-back') comeBack(region, now, { reboot: true, recovered: true });
  }
}

/**
 * EC2 holds back the I/O of a volume whose data may be inconsistent, until EnableVolumeIO. False:
 * there is no such volume.
 */
export const holdBackIo = (region: Region, volumeId: string): boolean =>
  region.volumes.update(volumeId, { ioEnabled: false }, region.nowMs) !== undefined;
