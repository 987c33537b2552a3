import type { MonotonicMs } from '@understudy/shared';
import type { CheckResult } from '../core/check-state.ts';
import type { Check } from './check.ts';
import { type MountEntry, mountAt, mountHolding } from './proc-parsers.ts';

/** What is expected of one file system. Paths are the real ones (with `rootDir`). */
export interface ExpectedMount {
  readonly path: string;
  readonly minFreeBytes: number;
  readonly minFreeInodes: number;
}

export interface StorageExpectation {
  readonly devices: readonly string[];
  readonly mounts: readonly ExpectedMount[];
  readonly probeFolders: readonly string[];
  /**
   * True when a folder on another file system counts as mounted. So it is where volumes are
   * folders.
   */
  readonly plainFolders: boolean;
}

/**
 * Room of a file system for ordinary users, without what is reserved for root. Null: it knows no
 * limit.
 */
export interface FileSystemRoom {
  readonly freeBytes: number | null;
  readonly freeInodes: number | null;
}

/** What the probe child found. Lists are shorter than asked for when it ended early. */
export interface ProbeFindings {
  /** One entry per expected mount, in order. Null: the path does not exist. */
  readonly mounts: readonly (FileSystemRoom | null)[];
  /** One entry per probe folder, in order. `error` null: written and synced. */
  readonly folders: readonly { readonly error: string | null; readonly room: FileSystemRoom | null }[];
}

export type ProbeOutcome =
  | { readonly kind: 'found'; readonly findings: ProbeFindings }
  /** The child has not come back since `sinceMs`. */
  | { readonly kind: 'hung'; readonly sinceMs: MonotonicMs; readonly firstTime: boolean };

/** Touches the disks in a child process. Never hangs itself and never has more than one child. */
export interface StorageProbe {
  probe(signal: AbortSignal): Promise<ProbeOutcome>;
}

/** What is mounted, and which device nodes there are. */
export interface MountTable {
  /** Text of /proc/self/mounts, parsed. */
  mounts(): Promise<readonly MountEntry[]>;
  /** Device nodes that are missing. Looks at /dev only, which never waits for a disk. */
  missingDevices(devices: readonly string[]): Promise<readonly string[]>;
}

export function judgeMounts(expected: StorageExpectation, mounts: readonly MountEntry[]): CheckResult | null {
  for (const { path } of expected.mounts) {
    const mount = expected.plainFolders ? mountHolding(mounts, path) : mountAt(mounts, path);
    if (!mount) return { status: 'fail', code: 'notMounted', detail: path };
    if (mount.readOnly) return { status: 'fail', code: 'readOnly', detail: path };
  }
  return null;
}

/**
 * A file system with less room than one probe needs is full, whatever the limits say: root may
 * still write where its workload may not.
 */
const FULL = { minFreeBytes: 4_096, minFreeInodes: 1 };

export function judgeProbe(expected: StorageExpectation, found: ProbeFindings): CheckResult {
  if (found.mounts.length < expected.mounts.length || found.folders.length < expected.probeFolders.length)
    return { status: 'unknown', code: 'none', detail: 'the disk probe ended early' };
  const short = judgeRooms(expected.mounts, found.mounts);
  if (short) return short;
  for (const [index, { error, room }] of found.folders.entries()) {
    const folder = expected.probeFolders[index] ?? '?';
    const failed = error === null ? judgeRoom(folder, room, FULL) : judgeWrite(folder, error, room);
    if (failed) return failed;
  }
  return { status: 'pass', code: 'none' };
}

function judgeRooms(mounts: readonly ExpectedMount[], rooms: ProbeFindings['mounts']): CheckResult | null {
  for (const [index, mount] of mounts.entries()) {
    const room = rooms[index];
    if (!room) return { status: 'fail', code: 'notMounted', detail: mount.path };
    const minFreeBytes = Math.max(mount.minFreeBytes, FULL.minFreeBytes);
    const minFreeInodes = Math.max(mount.minFreeInodes, FULL.minFreeInodes);
    const short = judgeRoom(mount.path, room, { minFreeBytes, minFreeInodes });
    if (short) return short;
  }
  return null;
}

function judgeRoom(path: string, room: FileSystemRoom | null, limit: typeof FULL): CheckResult | null {
  const { freeBytes, freeInodes } = room ?? { freeBytes: null, freeInodes: null };
  if (freeBytes !== null && freeBytes < limit.minFreeBytes)
    return { status: 'fail', code: 'spaceLow', detail: `${path}: ${freeBytes} < ${limit.minFreeBytes} bytes` };
  if (freeInodes !== null && freeInodes < limit.minFreeInodes)
    return { status: 'fail', code: 'inodesLow', detail: `${path}: ${freeInodes} < ${limit.minFreeInodes} inodes` };
  return null;
}

/**
 * ENOSPC means that blocks or inodes are used up; the room tells which. The texts are those of
 * strerror(3) in the C locale, glibc and musl.
 */
function judgeWrite(folder: string, error: string, room: FileSystemRoom | null): CheckResult {
  const detail = `${folder}: ${error}`;
  if (error.includes('No space left on device'))
    return { status: 'fail', code: room?.freeInodes === 0 ? 'inodesLow' : 'spaceLow', detail };
  return { status: 'fail', code: error.includes('Read-only file system') ? 'readOnly' : 'writeFailed', detail };
}

/**
 * A probe that hangs for the first time is `unknown` (late). One that still hangs at the next turn
 * is a failing result. So after `fall` turns the check fails with `probeHung` and the age of the
 * hang.
 */
export function storageCheck(expected: StorageExpectation, table: MountTable, probe: StorageProbe): Check {
  return {
    async run(signal) {
      const missing = await table.missingDevices(expected.devices);
      if (missing.length > 0) return { status: 'fail', code: 'deviceMissing', detail: missing.join(', ') };
      const unmounted = judgeMounts(expected, await table.mounts());
      if (unmounted) return unmounted;
      const outcome = await probe.probe(signal);
      if (outcome.kind === 'found') return judgeProbe(expected, outcome.findings);
      const status = outcome.firstTime ? 'unknown' : 'fail';
      return { status, code: 'probeHung', detail: 'the disk probe does not come back', sinceMs: outcome.sinceMs };
    },
  };
}
