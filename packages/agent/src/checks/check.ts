import type { CheckResult } from '../core/check-state.ts';

/** One thing that the agent checks. It runs beside the heartbeat sender, never in its way. */
export interface Check {
  /**
   * Looks once, and gives up when `signal` aborts (the deadline). A run that does not give up is
   * left alone, and no second one is started beside it. A throw counts as `unknown`.
   */
  run(signal: AbortSignal): Promise<CheckResult>;
}
