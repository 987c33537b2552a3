import type { MemberId } from '../member-id.ts';
import type { CheckReading, ServePromise } from '../protocol/frame.ts';
import type { MonotonicMs } from '../units.ts';

/** What this coordinator itself has heard from one instance of a member. */
export interface HeartbeatReading {
  readonly lastHeardAtMs: MonotonicMs;
  /**
   * Start of the unbroken run of heartbeats (no gap ≥ suspectAfterMs) whose checks all pass or
   * warn. Null while a check fails.
   */
  readonly passingSinceMs: MonotonicMs | null;
  readonly bootEpoch: bigint;
  readonly serving: boolean;
  readonly checks: readonly CheckReading[];
  /** Null: it keeps no serve lease. */
  readonly servePromise: ServePromise | null;
}

/** What recovery and the leader ask of the observer in the same process. */
export interface HeartbeatSource {
  reading(member: MemberId, instanceId: string): HeartbeatReading | null;
  /**
   * True while this observer abstains: its silence is no evidence. Absent means that it never
   * abstains.
   */
  abstains?(): boolean;
}
