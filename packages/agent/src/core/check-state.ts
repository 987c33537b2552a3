import { CHECK_CODES, type CheckCode, type CheckReading, type MonotonicMs } from '@understudy/shared';

/**
 * What one run of a check found. `unknown`: it could not tell (late, or its probe is stuck for the
 * first time).
 */
export interface CheckResult {
  readonly status: 'pass' | 'warn' | 'fail' | 'unknown';
  readonly code: CheckCode;
  /** For people and logs. */
  readonly detail?: string;
  /** When the finding began, if that is earlier than now (a probe that hangs since then). */
  readonly sinceMs?: MonotonicMs;
}

export interface CheckLimits {
  readonly rise: number;
  readonly fall: number;
}

export interface CheckState {
  readonly status: 'pass' | 'warn' | 'fail' | 'unknown';
  readonly code: CheckCode;
  readonly detail: string;
  /** Good or bad results in a row that speak against `status`. */
  readonly against: number;
  /** When the evidence behind `status` was gathered. */
  readonly observedAtMs: MonotonicMs;
}

export const initialCheckState = (nowMs: MonotonicMs): CheckState => ({
  status: 'unknown',
  code: 'none',
  detail: 'not run yet',
  against: 0,
  observedAtMs: nowMs,
});

/**
 * The check's state machine.
 *
 * | state \ result | pass, warn | fail | unknown |
 * |---|---|---|---|
 * | pass, warn | take it | `fall` in a row ⇒ fail, until then keep | unknown, with its code; the age is that of the last real result |
 * | fail | `rise` in a row ⇒ take it, until then keep | stay, newest code | stay, unchanged: no news is no recovery |
 * | unknown | take it | `fall` in a row ⇒ fail, until then keep | stay, newest code |
 */
export function nextCheckState(
  state: CheckState,
  result: CheckResult,
  limits: CheckLimits,
  nowMs: MonotonicMs,
): CheckState {
  const observedAtMs = result.sinceMs ?? nowMs;
  const taken: CheckState = {
    status: result.status,
    code: result.code,
    detail: result.detail ?? '',
    against: 0,
    observedAtMs,
  };
  if (result.status === 'unknown') {
    if (state.status === 'fail') return state;
    return { ...taken, against: state.against, observedAtMs: result.sinceMs ?? state.observedAtMs };
  }
  if (state.status === 'fail') {
    if (result.status === 'fail') return taken;
    return state.against + 1 >= limits.rise ? taken : { ...state, against: state.against + 1, observedAtMs };
  }
  if (result.status !== 'fail') return taken;
  return state.against + 1 >= limits.fall ? taken : { ...state, against: state.against + 1, observedAtMs };
}

/** The state as it goes into a heartbeat. */
export function checkReading(state: CheckState, nowMs: MonotonicMs): CheckReading {
  const ageSeconds = Math.max(0, Math.floor((nowMs - state.observedAtMs) / 1000));
  return { status: state.status, code: CHECK_CODES[state.code], ageSeconds };
}

const WORST_FIRST = ['fail', 'unknown', 'warn', 'pass'] as const;

/**
 * The state shown for several checks in one slot: the worst status wins, among equals the first.
 * Undefined without any.
 */
export function worstOf(states: readonly CheckState[]): CheckState | undefined {
  const rank = ({ status }: CheckState) => WORST_FIRST.indexOf(status);
  return states.reduce<CheckState | undefined>(
    (worst, state) => (worst && rank(worst) <= rank(state) ? worst : state),
    undefined,
  );
}
