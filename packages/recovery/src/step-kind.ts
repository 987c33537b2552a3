import type { StepKey } from './core/step-id.ts';
import { driveStep, type Step } from './effect.ts';
import type { CallsOf } from './planned-call.ts';
import type { Run } from './run.ts';
import type { StepRecord } from './step-record.ts';

/** A step as the engine knows it: what it writes, and how it is done. */
export interface StepKind {
  readonly record: StepRecord;
  /** Drives it to its end. @throws as {@link driveStep} does. */
  readonly drive: (run: Run, key: StepKey) => Promise<void>;
  /**
   * The outside calls it makes, told beforehand for `understudy plan`. Absent: it does not say, and
   * the plan says that it does not.
   */
  readonly calls?: CallsOf | undefined;
}

/** `make` is asked anew by each run that drives the step: what it keeps is of that run only. */
export const stepKind = <R extends StepRecord>(
  record: R,
  make: (run: Run, key: StepKey) => Step<R>,
  calls?: CallsOf,
): StepKind => ({
  record,
  drive: (run, key) => driveStep(run, key, record, make(run, key)),
  calls,
});
