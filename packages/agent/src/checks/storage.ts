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
  /** A folder on another file system counts as mounted: worlds where a volume is a folder. */
  readonly plainFolders: boolean;
}

/** What the probe child found. */
export interface ProbeFindings {
  /** Per expected mount, in order; null = the path is not there. Inodes are null on file systems that have none (btrfs, vfat). */
  readonly space: readonly ({ readonly freeBytes: number; readonly freeInodes: number | null } | null)[];
  /** Per probe folder, in order: null = written and synced, otherwise the error. */
  readonly writes: readonly (string | null)[];
}

export type ProbeOutcome =
  | { readonly kind: 'found'; readonly findings: ProbeFindings }
  /** The child has not come back, since then. */
  | { readonly kind: 'hung'; readonly sinceMs: MonotonicMs; readonly firstTime: boolean };

/** Touches the disks in a child process. Never hangs itself and never has more than one child. */
export interface StorageProbe {
  probe(signal: AbortSignal): Promise<ProbeOutcome>;
}

export interface StorageWorld {
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

export function judgeProbe(expected: StorageExpectation, found: ProbeFindings): CheckResult {
  for (const [index, { path, minFreeBytes, minFreeInodes }] of expected.mounts.entries()) {
    const space = found.space[index];
    if (!space) return { status: 'fail', code: 'notMounted', detail: path };
    if (space.freeBytes < minFreeBytes) {
      return { status: 'fail', code: 'spaceLow', detail: `${path}: ${space.freeBytes} < ${minFreeBytes} bytes` };
    }
    if (space.freeInodes !== null && space.freeInodes < minFreeInodes) {
      return { status: 'fail', code: 'inodesLow', detail: `${path}: ${space.freeInodes} < ${minFreeInodes} inodes` };
    }
  }
  const failed = found.writes.findIndex((error) => error !== null);
  if (failed < 0) return { status: 'pass', code: 'none' };
  const detail = `${expected.probeFolders[failed] ?? '?'}: ${found.writes[failed] ?? '?'}`;
  return { status: 'fail', code: 'writeFailed', detail };
}

/**
 * A probe that hangs for the first time is `unknown` (late); one that still hangs at the next turn is a failing result, so after `fall` turns
 * the check fails with `probeHung` and the age of the hang.
 */
export function storageCheck(expected: StorageExpectation, world: StorageWorld, probe: StorageProbe): Check {
  return {
    async run(signal) {
      const missing = await world.missingDevices(expected.devices);
      if (missing.length > 0) return { status: 'fail', code: 'deviceMissing', detail: missing.join(', ') };
      const unmounted = judgeMounts(expected, await world.mounts());
      if (unmounted) return unmounted;
      const outcome = await probe.probe(signal);
      if (outcome.kind === 'found') return judgeProbe(expected, outcome.findings);
      const status = outcome.firstTime ? 'unknown' : 'fail';
      return { status, code: 'probeHung', detail: 'the disk probe does not come back', sinceMs: outcome.sinceMs };
    },
  };
}
