import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR } from './project-paths.ts';

const OWNER_FILE = 'owner.json';
/**
 * A folder without an owner's name (of an earlier build, or made this very moment) is a leftover
 * after this. ms
 */
const UNOWNED_FOR_MS = 3_600_000;

/** Field 22 of /proc/PID/stat; null: there is no such process, or it waits to be reaped. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** This process answers for the folder: nobody takes it away while it lives. */
export function ownFolder(dir: string): void {
  writeFileSync(join(dir, OWNER_FILE), JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }));
}

function isOrphan(dir: string, nowMs: number): boolean {
  try {
    const { pid, startTime } = JSON.parse(readFileSync(join(dir, OWNER_FILE), 'utf8')) as Record<string, unknown>;
    return typeof pid !== 'number' || startTimeOf(pid) === null || startTimeOf(pid) !== startTime;
  } catch {
    return nowMs - statSync(dir).mtimeMs > UNOWNED_FOR_MS;
  }
}

/**
 * What plays left that were killed, or failed: their processes are gone, their folders (etcd's
 * above all, a hundred MB each) are not. Returns how many went.
 */
export function removeLeftovers(cacheDir: string, play: string, nowMs: number): number {
  const leftovers = readdirSync(cacheDir)
    .filter((name) => name.startsWith(`${play}-`))
    .map((name) => join(cacheDir, name))
    .filter((dir) => isOrphan(dir, nowMs));
  for (const dir of leftovers) rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  return leftovers.length;
}

/**
 * A fresh folder below the project's cache; nothing of a run is written anywhere else. What earlier
 * runs for the same purpose left that were killed is taken away first.
 */
export function makeRunDir(purpose: string, nowMs: number): string {
  mkdirSync(CACHE_DIR, { recursive: true });
  removeLeftovers(CACHE_DIR, purpose, nowMs);
  const dir = mkdtempSync(join(CACHE_DIR, `${purpose}-`));
  ownFolder(dir);
  return dir;
}

export const removeRunDir = (dir: string): void => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });

/** After a failure: what tells why stays, until the next play begins. */
export function keepOnlyLogs(dir: string): void {
  for (const name of readdirSync(dir))
    if (name !== 'logs' && name !== OWNER_FILE)
      rmSync(join(dir, name), { recursive: true, force: true, maxRetries: 3 });
}
