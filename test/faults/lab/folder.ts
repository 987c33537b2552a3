import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../.cache/', import.meta.url));
const PREFIX = 'faults-';
const OWNER = 'owner';

/** The folder of a lab, below the project's cache. */
export interface LabFolder {
  readonly path: string;
  /** Unique among the runs of this machine. */
  readonly runName: string;
}

export const labFolder = (path: string): LabFolder => ({ path, runName: basename(path).slice(PREFIX.length) });

/**
 * Process id and start time (clock ticks since boot, proc(5)). Together they name a process for
 * ever.
 */
function identityOf(pid: number | 'self'): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return `${stat.split(' ')[0]} ${stat.slice(stat.lastIndexOf(')')).split(' ')[20]}`;
  } catch {
    return null;
  }
}

function isOwned(path: string): boolean {
  try {
    const owner = readFileSync(join(path, OWNER), 'utf8');
    return identityOf(Number(owner.split(' ')[0])) === owner;
  } catch {
    return false;
  }
}

/**
 * A new folder of this process. Folders of runs that ended without cleaning up are removed first.
 */
export function makeLabFolder(): string {
  mkdirSync(CACHE, { recursive: true });
  for (const name of readdirSync(CACHE).filter((each) => each.startsWith(PREFIX))) {
    if (!isOwned(join(CACHE, name))) removeLabFolder(join(CACHE, name));
  }
  const path = mkdtempSync(join(CACHE, PREFIX));
  writeFileSync(join(path, OWNER), identityOf('self') ?? '');
  return path;
}

export const removeLabFolder = (path: string): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
