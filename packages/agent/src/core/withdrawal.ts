import type { MonotonicMs } from '@understudy/shared';

/** What `systemctl show` tells of one unit. */
export interface UnitSight {
  readonly name: string;
  /**
   * False: systemd finds no file of it. It may run all the same: a running unit outlives its file.
   */
  readonly loaded: boolean;
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading` … */
  readonly activeState: string;
  /** A job of this unit (start, stop, restart) is queued or runs. */
  readonly jobPending: boolean;
  /** Processes and threads in its cgroup. 0: none, or systemd does not count them. */
  readonly tasks: number;
}

export interface UnitsSight {
  /** When the look began: what happened later it may not have seen. */
  readonly atMs: MonotonicMs;
  readonly units: readonly UnitSight[];
  /** Units that systemd says hang on the target, and that this look did not ask about. */
  readonly alsoFound: readonly string[];
}

/** What is known of one withdrawal, by what was done and what was seen. */
export interface WithdrawalFacts {
  readonly beganAtMs: MonotonicMs;
  /** The target and the configured workloads, in this order. */
  readonly asked: readonly string[];
  /** The last attempt to have everything stopped. `accepted`: systemd queued every job. */
  readonly stop: { readonly atMs: MonotonicMs; readonly accepted: boolean } | null;
  readonly killedAtMs: MonotonicMs | null;
  /** Begin of the last look, also of one that failed. */
  readonly lookedAtMs: MonotonicMs | null;
  /** The newest look that succeeded. */
  readonly sight: UnitsSight | null;
}

export interface WithdrawalLimits {
  /** Time the workloads get to stop in order, in ms. Then they are killed. */
  readonly stopMs: number;
  /** Time that what was killed gets to be gone, in ms. Then the workload is stuck. */
  readonly killMs: number;
}

export type WithdrawalMove =
  /** Queue stop jobs that nobody's restart can replace. */
  | { readonly kind: 'stop'; readonly units: readonly string[] }
  | { readonly kind: 'look'; readonly units: readonly string[] }
  /** SIGKILL to every process of these units. */
  | { readonly kind: 'kill'; readonly units: readonly string[] }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'stopped' }
  /** Both deadlines are over. `units`: what was last seen up. Empty: systemd could not be asked. */
  | { readonly kind: 'stuck'; readonly units: readonly string[] };

/** A look is one short process. More often would be busy work, less often a slower fence. */
const LOOK_EVERY_MS = 300;
/** A refused stop (another irreversible job, a bus that does not answer) is tried this often. */
const STOP_AGAIN_MS = 1_000;
const KILL_AGAIN_MS = 1_000;

/**
 * The next thing to do so that nothing of the workload runs. Everything is judged by what was seen
 * *after* it was done: an accepted stop proves nothing, because jobs can be cancelled and processes
 * can ignore SIGTERM.
 */
export function nextMove(facts: WithdrawalFacts, limits: WithdrawalLimits, nowMs: MonotonicMs): WithdrawalMove {
  const { stop, sight, lookedAtMs, killedAtMs } = facts;
  if (isStopped(facts)) return { kind: 'stopped' };
  const killFromMs = facts.beganAtMs + limits.stopMs;
  if (nowMs >= killFromMs + limits.killMs) return { kind: 'stuck', units: unitsUp(sight) };
  // The first look says which units there are. It is not waited for when it fails.
  if (lookedAtMs === null) return { kind: 'look', units: facts.asked };
  if (mustStop(facts, nowMs)) return { kind: 'stop', units: unitsToStop(facts) };
  const doneAtMs = Math.max(stop?.atMs ?? 0, killedAtMs ?? 0);
  if (lookedAtMs < doneAtMs || nowMs >= lookedAtMs + LOOK_EVERY_MS) return { kind: 'look', units: unitsToSee(facts) };
  // What cannot be seen is killed unseen.
  const killable = (sight ? unitsUp(sight) : facts.asked).filter((name) => !name.endsWith('.target'));
  const mayKill = nowMs >= killFromMs && (killedAtMs === null || nowMs >= killedAtMs + KILL_AGAIN_MS);
  if (mayKill && killable.length > 0) return { kind: 'kill', units: killable };
  return { kind: 'wait', untilMs: lookedAtMs + LOOK_EVERY_MS };
}

/** True when an accepted stop was followed by a look at every unit, and all are down for good. */
function isStopped({ stop, sight }: WithdrawalFacts): boolean {
  if (!stop?.accepted || !sight || sight.atMs < stop.atMs) return false;
  return sight.alsoFound.length === 0 && sight.units.every((unit) => !isUp(unit));
}

const isOver = ({ activeState }: UnitSight): boolean => activeState === 'inactive' || activeState === 'failed';

/**
 * A job that is pending may be a start, so a unit that has one is not down for good. A unit that is
 * over may have left processes behind (`KillMode=process` and `none`).
 */
const isUp = (unit: UnitSight): boolean => unit.tasks > 0 || !isOver(unit) || (unit.loaded && unit.jobPending);

const unitsUp = (sight: UnitsSight | null): readonly string[] =>
  (sight?.units ?? []).filter(isUp).map(({ name }) => name);

/**
 * A stop is due: none was accepted, somebody cancelled one (up, and no job to end that), or a unit
 * came to light that was not stopped yet.
 */
function mustStop({ stop, sight }: WithdrawalFacts, nowMs: MonotonicMs): boolean {
  if (stop === null) return true;
  if (nowMs < stop.atMs + STOP_AGAIN_MS) return false;
  if (!stop.accepted) return true;
  return sight !== null && sight.atMs > stop.atMs && sight.units.some((unit) => isUp(unit) && !unit.jobPending);
}

const unitsToSee = ({ asked, sight }: WithdrawalFacts): readonly string[] => [
  ...new Set([...asked, ...(sight?.units ?? []).map(({ name }) => name), ...(sight?.alsoFound ?? [])]),
];

/** systemd refuses a stop of what has no file and does not run, so that is left out. */
function unitsToStop(facts: WithdrawalFacts): readonly string[] {
  const unknown = new Set(
    (facts.sight?.units ?? []).filter((unit) => !unit.loaded && isOver(unit)).map(({ name }) => name),
  );
  return unitsToSee(facts).filter((name) => !unknown.has(name));
}
