import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@understudy/shared';
import type { SimEvent, TransitionEvent } from '../core/event-log.ts';
import type { MachineDriver } from './machine-driver.ts';

/**
 * Volumes and snapshots as folders. A snapshot is a copy at the moment of its request; a volume
 * from a snapshot is a copy of that.
 */
export class VolumeFolders {
  readonly #workDir: string;
  readonly #driver: Pick<MachineDriver, 'copyDisk'>;
  readonly #log: Log;

  constructor(workDir: string, driver: Pick<MachineDriver, 'copyDisk'>, log: Log) {
    this.#workDir = workDir;
    this.#driver = driver;
    this.#log = log;
    mkdirSync(join(workDir, 'volumes'), { recursive: true });
    mkdirSync(join(workDir, 'snapshots'), { recursive: true });
  }

  volumeDir(volumeId: string): string {
    return join(this.#workDir, 'volumes', volumeId);
  }

  snapshotDir(snapshotId: string): string {
    return join(this.#workDir, 'snapshots', snapshotId);
  }

  /** Runs inside the request that caused the event, so that its point in time is the request's. */
  onEvent(event: SimEvent): void {
    if (event.kind !== 'transition') return;
    if (event.resourceKind === 'volume') this.#onVolume(event);
    if (event.resourceKind === 'snapshot') this.#onSnapshot(event);
  }

  #onVolume(event: TransitionEvent): void {
    const dir = this.volumeDir(event.resourceId);
    if (event.to === null) rmSync(dir, { recursive: true, force: true });
    else if (event.from === null) this.#make(dir, event.detail);
    else if (event.detail['formatted'] === true) this.#format(dir, event);
  }

  #make(dir: string, { snapshotId, sourceVolumeId }: TransitionEvent['detail']): void {
    mkdirSync(dir, { recursive: true });
    const source =
      typeof sourceVolumeId === 'string'
        ? this.volumeDir(sourceVolumeId)
        : typeof snapshotId === 'string' && this.snapshotDir(snapshotId);
    if (source !== false && existsSync(source)) this.#driver.copyDisk(source, dir);
  }

  /** cloud-init made a new file system, so the content of the disk is gone. */
  #format(dir: string, event: TransitionEvent): void {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    this.#log.warn('cloud-sim.volume.formatted', { volumeId: event.resourceId, ...event.detail });
  }

  #onSnapshot(event: TransitionEvent): void {
    const dir = this.snapshotDir(event.resourceId);
    if (event.to === null) {
      rmSync(dir, { recursive: true, force: true });
    } else if (event.from === null) {
      const volumeId = String(event.detail['volumeId']);
      this.#driver.copyDisk(this.volumeDir(volumeId), dir);
      this.#log.info('cloud-sim.snapshot.copied', { snapshotId: event.resourceId, volumeId });
    }
  }
}
