/** How the engine paces itself. Every field is a duration in ms unless its name says otherwise. */
export interface RecoverySettings {
  /**
   * One EC2 call on the wire. An effect starts only when the term holds for this long. The adapter
   * must give up by then.
   */
  readonly callTimeoutMs: number;
  /** From asking for a call to giving up, the wait for a rate-limit token included. */
  readonly sendLimitMs: number;
  /**
   * After giving up: how long the adapter may take to say whether the call was sent; then its
   * outcome counts as unknown.
   */
  readonly giveUpGraceMs: number;
  /**
   * Looks while waiting: first pause, longest pause, and pause as a share of the time waited.
   * Shorter = faster recovery, more tokens.
   */
  readonly pollMinMs: number;
  readonly pollMaxMs: number;
  readonly pollRatio: number;
  /** Pause after a failed call: full jitter below `base × 2^failures`, at most `cap`. */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /**
   * Between two reads that must agree before an absence or an early `stopped` is believed. Longer
   * than EC2's usual lag.
   */
  readonly confirmSpacingMs: number;
  /**
   * How long EC2 may take to show something that was just made. Until then its "not found" proves
   * nothing.
   */
  readonly lagGraceMs: number;
  /**
   * After a call that was refused for longer than a minute: as `backoffCapMs`. Shorter = sooner on
   * when it passes, longer = fewer tokens.
   */
  readonly refusedPauseMaxMs: number;
  /**
   * Before placements without capacity are asked again: the first pause, and what it grows to by
   * doubling.
   */
  readonly capacityPauseMs: number;
  readonly capacityPauseMaxMs: number;
  /**
   * Count: refusals for want of capacity of one launch request, before another one (with another
   * token) takes its place.
   */
  readonly refusalsPerRequest: number;
  /**
   * A placement that was refused for its own fault is asked again after this long: its cause may
   * have ended.
   */
  readonly condemnedForMs: number;
  /** A Stop that has shown no effect is sent again after this long. */
  readonly restopAfterMs: number;
  /**
   * Count: calls of one run whose outcome stayed unknown, before another placement is tried, where
   * there is one.
   */
  readonly maxUnknownOutcomes: number;
  /** Count: snapshot sets that ended in error before holding. */
  readonly maxFailedSets: number;
  /**
   * Count: snapshot sets of one recovery that EC2 made, in all: what is paid for. Calls that made
   * nothing do not count.
   */
  readonly maxSnapshotCalls: number;
  /** What a successor (or a resumed hold) may always spend on a step, however old its record is. */
  readonly resumeFloorMs: number;
  /**
   * How long the finished replacement may be silent after its activation, or its services fail,
   * before the recovery is closed all the same.
   */
  readonly closingPatienceMs: number;
  /**
   * How long the chores of `done` (tags, protections) may take before the recovery is closed
   * without them; the collector then goes on trying.
   */
  readonly choresPatienceMs: number;
  /** How often a term that does not hold long enough for a call is asked again. */
  readonly termRecheckMs: number;
}

export const DEFAULT_RECOVERY_SETTINGS: RecoverySettings = {
  callTimeoutMs: 5_000,
  sendLimitMs: 600_000,
  giveUpGraceMs: 100,
  pollMinMs: 250,
  pollMaxMs: 5_000,
  pollRatio: 0.025,
  backoffBaseMs: 500,
  backoffCapMs: 10_000,
  confirmSpacingMs: 2_000,
  lagGraceMs: 60_000,
  refusedPauseMaxMs: 60_000,
  capacityPauseMs: 60_000,
  capacityPauseMaxMs: 300_000,
  refusalsPerRequest: 10,
  condemnedForMs: 900_000,
  restopAfterMs: 60_000,
  maxUnknownOutcomes: 5,
  maxFailedSets: 3,
  maxSnapshotCalls: 10,
  resumeFloorMs: 30_000,
  closingPatienceMs: 60_000,
  choresPatienceMs: 120_000,
  termRecheckMs: 100,
};
