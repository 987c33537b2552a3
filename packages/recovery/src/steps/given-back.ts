import type { CloudInstance } from '@understudy/shared';
import { stopModes } from '../core/fence-decision.ts';
import type { Attempt, Call, Move } from '../effect.ts';
import type { Run } from '../run.ts';
import type { REVOKE } from './attempt-records.ts';

/** What this run has asked of a failed replacement that has disks which others need. */
export interface VolumesGivenBack {
  stopAskedAtMs: number | null;
  modeIndex: number;
}

const MODES = stopModes(true);

/** A disk that was there before the launch: the member's, or a copy that the next attempt gets. */
export function isLent(run: Run, volumeId: string): boolean {
  if (run.plan.volumes.some((one) => one.volumeId === volumeId)) return true;
  const { disks = [] } = run.strategy.launchSources(run, run.seams) ?? {};
  return disks.some(({ source }) => source.kind === 'volume' && source.volumeId === volumeId);
}

/**
 * Did the launch make it, as this member's disk? What was attached later is not ours to let go: a
 * boot script or a person has put it there. Its device tells, which is taken from the launch on.
 */
export function isMadeByLaunch(run: Run, deviceName: string): boolean {
  const { disks = [] } = run.strategy.launchSources(run, run.seams) ?? {};
  const isMoved = disks.some(({ volume, source }) => source.kind === 'volume' && volume.deviceName === deviceName);
  return !isMoved && run.plan.volumes.some((one) => one.deviceName === deviceName);
}

/**
 * **S** (S27) Before a failed replacement is terminated, its lent disks come off: it is seen
 * stopped first, so it writes to none of them, and each is asked for until the instance shows none
 * of them. null: it has none. What a late call attaches after that is set free with its end: EC2
 * does not delete what was attached later.
 */
export function giveVolumesBack(
  run: Run,
  memory: VolumesGivenBack,
  instance: CloudInstance,
  last: Attempt | null,
): Move<typeof REVOKE> | null {
  const { instanceId, state } = instance;
  const lent = instance.volumes.filter(({ volumeId }) => isLent(run, volumeId));
  if (lent.length === 0 || state === 'shutting-down' || state === 'terminated') return null;
  if (last?.name === 'stop') learn(run, memory, last);
  if (state !== 'stopped') return stop(run, memory, instanceId, state);
  // Without its root no late start of it succeeds, so it never boots with some of its disks only.
  const root = lent.filter((one) => one.deviceName === instance.rootDeviceName);
  const [first, ...more] = (root.length > 0 ? root : lent)
    .filter((one) => one.status !== 'detaching')
    .map(({ volumeId, deviceName }): Call => {
      const place = { volumeId, deviceName, instanceId };
      return { name: `detach-${volumeId}`, run: (cloud, options) => cloud.detachVolume(place, options) };
    });
  const asked = last?.outcomes.some(({ name }) => name.startsWith('detach-')) ?? false;
  if (!first || asked) {
    const names = lent.map((one) => one.volumeId).join(', ');
    return {
      kind: 'wait',
      text: `waiting for ${names} to come off ${instanceId}`,
      forMs: run.settings.confirmSpacingMs,
    };
  }
  return { kind: 'act', text: `taking the disks off ${instanceId}, which failed`, calls: [first, ...more] };
}

function learn(run: Run, memory: VolumesGivenBack, { error }: Attempt): void {
  if (error?.code === 'CLOUD_REJECTED') memory.modeIndex = (memory.modeIndex + 1) % MODES.length;
  memory.stopAskedAtMs = error === null || error.code === 'CLOUD_OUTCOME_UNKNOWN' ? run.nowMs() : null;
}

function stop(run: Run, memory: VolumesGivenBack, instanceId: string, state: string): Move<typeof REVOKE> {
  const how = MODES[memory.modeIndex];
  const asked = memory.stopAskedAtMs !== null && run.nowMs() - memory.stopAskedAtMs < run.settings.restopAfterMs;
  if (asked || !how) return { kind: 'wait', text: `waiting for ${instanceId}, which failed, to stop: ${state}` };
  return {
    kind: 'act',
    text: `stopping ${instanceId}, which failed, to take its disks off`,
    calls: [{ name: 'stop', run: (cloud, options) => cloud.stopInstance(instanceId, how, options) }],
  };
}
