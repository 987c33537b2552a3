import type { CheckResult } from '../core/check-state.ts';

/** One thing the agent looks at. Runs beside the heartbeat sender, never in its way. */
export interface Check {
  /**
   * Looks once. Gives up when `signal` aborts (the deadline); a run that does not is left alone and
   * no second one is started beside it. A throw counts as `unknown`.
   */
  run(signal: AbortSignal): Promise<CheckResult>;
}
