import { access, readFile } from 'node:fs/promises';
import { parseMounts } from '../checks/proc-parsers.ts';
import type { StorageWorld } from '../checks/storage.ts';

/** Reads /proc and /dev, which are memory: nothing here waits for a disk. */
export const storageWorld: StorageWorld = {
  async mounts() {
    return parseMounts(await readFile('/proc/self/mounts', 'utf8'));
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
};
