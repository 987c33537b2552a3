/** The claim to be the one agent, written into each lock file. */
export interface LockClaim {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat. A process that later gets the same pid has another one. */
  readonly startTime: string;
  /** A claim of an earlier boot, or of the machine a disk was copied from, belongs to nobody. */
  readonly bootId: string;
  /** In another pid namespace (container) the pid means another process. */
  readonly pidNamespace: string;
  readonly member: string;
}

export interface LockHolder {
  readonly pid: number;
  /** The lock file that says so. */
  readonly where: string;
}

/** What can be seen of the process a claim names. */
export interface ProcessSighting {
  readonly bootId: string;
  readonly pidNamespace: string;
  /** Null: there is no such process, or it has ended and only waits to be reaped. */
  readonly startTime: string | null;
}

/**
 * The owner keeps a claim from another pid namespace fresh, every 2 s. An older claim belongs to
 * nobody. In ms.
 */
export const CLAIM_FRESH_MS = 6_000;

/**
 * True when the agent that made this claim runs. `ageMs` is how long ago it was last touched. A
 * touch in the future is no newer than one of now.
 */
export function isHeld(claim: LockClaim, seen: ProcessSighting, ageMs: number): boolean {
  if (claim.bootId !== seen.bootId) return false;
  if (claim.pidNamespace !== seen.pidNamespace) return Math.abs(ageMs) < CLAIM_FRESH_MS;
  return seen.startTime === claim.startTime;
}

export const sameClaim = (a: LockClaim, b: LockClaim): boolean =>
  a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId && a.pidNamespace === b.pidNamespace;

/**
 * Null where the text is not a claim: it is half-written or another program's, and so belongs to
 * nobody.
 */
export function parseClaim(text: string): LockClaim | null {
  try {
    const { schemaVersion, pid, startTime, bootId, pidNamespace, member } = JSON.parse(text) as Record<string, unknown>;
    if (schemaVersion !== 1 || typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return null;
    if (typeof startTime !== 'string' || typeof bootId !== 'string') return null;
    if (typeof pidNamespace !== 'string' || typeof member !== 'string') return null;
    return { pid, startTime, bootId, pidNamespace, member };
  } catch {
    return null;
  }
}

export const claimText = (claim: LockClaim): string => `${JSON.stringify({ schemaVersion: 1, ...claim })}\n`;
