import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Disk } from '../lab/disks.ts';

const V1 = '/sys/fs/cgroup/blkio';
const V2 = '/sys/fs/cgroup';
const NAME = 'understudy-faults-';

type Version = {
  readonly root: string;
  readonly file: string;
  readonly limit: (device: string, iops: number) => string;
};

/**
 * cgroup v1 (`blkio.throttle`) or v2 (`io.max`). The kernel itself lets this many writes per second
 * through to the device.
 */
function cgroup(): Version | null {
  if (existsSync(join(V1, 'blkio.throttle.write_iops_device')))
    return { root: V1, file: 'blkio.throttle.write_iops_device', limit: (device, iops) => `${device} ${iops}` };
  const controllers = join(V2, 'cgroup.controllers');
  if (existsSync(controllers) && readFileSync(controllers, 'utf8').split(/\s+/).includes('io'))
    return { root: V2, file: 'io.max', limit: (device, iops) => `${device} wiops=${iops}` };
  return null;
}

/** Why a disk cannot be made slow here. Null when it can. */
export function slowDiskRefusal(disk: Disk): string | null {
  if (disk.device === null) return 'no loop device with ext4 can be mounted here';
  return cgroup() === null ? 'no cgroup here limits disk writes' : null;
}

/**
 * Lets one process write to the disk only `writesPerSecond` times a second. Returns the function
 * that undoes it.
 */
export function slowDown(disk: Disk, pid: number, runName: string, writesPerSecond: number): () => void {
  const version = cgroup();
  if (version === null || disk.device === null) throw new Error(slowDiskRefusal(disk) ?? '');
  const group = join(version.root, `${NAME}${runName}`);
  if (version.root === V2) writeFileSync(join(V2, 'cgroup.subtree_control'), '+io');
  mkdirSync(group, { recursive: true });
  writeFileSync(join(group, version.file), version.limit(disk.device, writesPerSecond));
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
  return () => {
    // Writes that wait in the queue go through at once when the group is left.
    if (existsSync(`/proc/${pid}`)) writeFileSync(join(version.root, 'cgroup.procs'), String(pid));
    rmdirSync(group);
  };
}

/**
 * Removes groups of runs that were killed. They are the only thing of the lab that the kernel does
 * not take away by itself.
 */
export function removeStaleGroups(): void {
  const version = cgroup();
  if (version === null) return;
  for (const name of readdirSync(version.root).filter((each) => each.startsWith(NAME))) {
    try {
      rmdirSync(join(version.root, name));
    } catch {
      // Another run is using it.
    }
  }
}
