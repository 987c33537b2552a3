import { OperationError } from '@understudy/shared';

/**
 * First releases in which a keepalive no longer succeeds for a lease that was already revoked, and
 * an old etcd leader no longer revokes leases wrongly (etcd CHANGELOG-3.5, CHANGELOG-3.6).
 */
const FIRST_SAFE_PATCH: Readonly<Record<string, number>> = { '3.5': 23, '3.6': 5 };

/** Why leadership is unsafe on this version. Null when it is fine. */
export function etcdVersionFault(version: string): string | null {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(-.+)?$/.exec(version.trim());
  if (!match) return `"${version}" is no etcd version`;
  const [, major, minor, patch, preRelease] = match;
  const line = `${major}.${minor}`;
  const firstSafe = FIRST_SAFE_PATCH[line];
  if (firstSafe === undefined)
    return Number(major) > 3 || (Number(major) === 3 && Number(minor) > 6)
      ? null
      : `${version} < 3.5.23: this line never got the lease fixes`;
  const safe = Number(patch) > firstSafe || (Number(patch) === firstSafe && preRelease === undefined);
  return safe ? null : `${version} < ${line}.${firstSafe}`;
}

/**
 * Refuses etcd members whose lease bugs make leadership unsafe.
 * @param allowUnsafeVersion the operator's reason for running on them all the same
 * @returns the faults that were allowed, for the log; empty when all is well.
 * @throws STORE_TOO_OLD naming every member's fault; STORE_UNAVAILABLE when no member told its
 * version.
 */
export function checkEtcdVersions(versions: readonly string[], allowUnsafeVersion?: string): readonly string[] {
  if (versions.length === 0) throw new OperationError('STORE_UNAVAILABLE', 'no etcd member told its version');
  const faults = versions.map(etcdVersionFault).filter((fault) => fault !== null);
  if (faults.length === 0 || (allowUnsafeVersion?.trim() ?? '') !== '') return faults;
  throw new OperationError(
    'STORE_TOO_OLD',
    `${faults.join('; ')}: a keepalive can succeed for a lease that is already revoked, so two coordinators could believe they lead`,
  );
}
