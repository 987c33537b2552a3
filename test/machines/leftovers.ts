import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { groupFolders, removeGroup } from '@understudy/cloud-sim';
import { CACHE_DIR } from '@understudy/local-cluster';
import { GROUP_PREFIX, groupOf } from './world/world.ts';

/** Removes a control group of a run whose processes are gone. What is still in use stays. */
function remove(folder: string): void {
  try {
    removeGroup(folder);
  } catch {
    // Its last process is being reaped. The next run finds it.
  }
}

/** Removes the control groups of a run whose world has ended. */
export function removeGroupsOf(folder: string): void {
  for (const path of groupFolders(groupOf(folder))) remove(path);
}

/**
 * Removes the control groups of runs whose folder is gone. The kernel takes away everything else
 * when a run is killed; folders are taken away by `makeRunDir`.
 */
export function removeStaleGroups(): void {
  for (const hierarchy of groupFolders('')) {
    for (const name of readdirSync(hierarchy).filter((each) => each.startsWith(GROUP_PREFIX))) {
      const folder = join(CACHE_DIR, name.slice('understudy-'.length));
      if (!existsSync(folder)) remove(join(hierarchy, name));
    }
  }
}
