import type { Clock, MonotonicMs } from '@understudy/shared';
import type { CheckResult } from '../core/check-state.ts';
import type { Check } from './check.ts';

export interface ClockLimits {
  /** A wall clock that moved against the monotonic one by more than this has stepped, ms. */
  readonly maxStepMs: number;
  /** How long a step stays a warning, ms. */
  readonly warnForMs: number;
}

/**
 * Warns of steps of the wall clock. Slewing (NTP) moves both clocks alike, so between two runs only
 * a step, or a suspend that stops the monotonic clock, moves one against the other. Our own
 * intervals are monotonic and not hurt, but the workload's use of wall time may be. So a step is a
 * warning, never a failure.
 */
export function clockCheck(clock: Pick<Clock, 'monotonicMs' | 'wallMs'>, limits: ClockLimits): Check {
  let offsetMs: number | null = null;
  let last: { readonly stepMs: number; readonly atMs: MonotonicMs } | null = null;
  return {
    async run(): Promise<CheckResult> {
      const nowMs = clock.monotonicMs();
      const newOffsetMs = clock.wallMs() - nowMs;
      const stepMs = Math.round(newOffsetMs - (offsetMs ?? newOffsetMs));
      offsetMs = newOffsetMs;
      if (Math.abs(stepMs) > limits.maxStepMs) last = { stepMs, atMs: nowMs };
      if (!last || nowMs - last.atMs >= limits.warnForMs) return { status: 'pass', code: 'none' };
      return { status: 'warn', code: 'clockStepped', detail: `stepped by ${last.stepMs} ms`, sinceMs: last.atMs };
    },
  };
}
