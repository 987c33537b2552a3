import { accessSync, readFileSync } from 'node:fs';
import { parseMounts } from '../checks/proc-parsers.ts';
import type { MountTable } from '../checks/storage.ts';

/**
 * Reads /proc and /dev, which are memory, so nothing here waits for a disk. It reads them at once
 * and not in the thread pool: while a disk hangs, each of the pool's four threads may wait for it,
 * and the check that is to tell so would wait behind them. `path` is the table of the mount
 * namespace to read.
 */
export const mountTable = (path = '/proc/self/mounts'): MountTable => ({
  mounts: async () => parseMounts(readFileSync(path, 'utf8')),
  missingDevices: async (devices) => devices.filter((device) => !isThere(device)),
});

function isThere(device: string): boolean {
  try {
    accessSync(device);
    return true;
  } catch {
    return false;
  }
}
