import { access, readFile } from 'node:fs/promises';
import { parseMounts } from '../checks/proc-parsers.ts';
import type { MountTable } from '../checks/storage.ts';

/**
 * Reads /proc and /dev, which are memory, so nothing here waits for a disk. `path` is the table of
 * the mount namespace to read.
 */
export const mountTable = (path = '/proc/self/mounts'): MountTable => ({
  async mounts() {
    return parseMounts(await readFile(path, 'utf8'));
  },
  async missingDevices(devices) {
    const found = await Promise.all(
      devices.map((device) =>
        access(device).then(
          () => true,
          () => false,
        ),
      ),
    );
    return devices.filter((_device, index) => !found[index]);
  },
});
