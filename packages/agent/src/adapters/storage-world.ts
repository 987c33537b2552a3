import { access, readFile } from 'node:fs/promises';
import { parseMounts } from '../checks/proc-parsers.ts';
import type { StorageWorld } from '../checks/storage.ts';

/** Reads /proc and /dev, which are memory: nothing here waits for a disk. `mountTable`: that of the mount namespace to look at. */
export const storageWorld = (mountTable = '/proc/self/mounts'): StorageWorld => ({
  async mounts() {
    return parseMounts(await readFile(mountTable, 'utf8'));
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
