import type { OpenPreparation, PreparationOutcome } from './preparation/preparation-outcome.ts';
import type { FailingCall, IntentRecord, Revision, Term } from '@understudy/shared';

/** A recovery that was begun and is not closed yet. */
export interface OpenIntent {
  readonly record: IntentRecord;
  readonly modRevision: Revision;
  /**
   * Where it is no recovery but a preparation: the key of its record. **S** (S31) While it may be
   * taken over, nothing of it is written beside an intent. Absent: it is the member's intent.
   */
  readonly preparation?: { readonly key: string; readonly isDropped: boolean };
}

/**
 * How one run of the engine ended. `parked`: lost the term or the store; whoever leads next
 * resumes.
 */
export type RecoveryRunOutcome = 'finished' | 'held' | 'parked';

/** What one step of a run is doing. */
export interface StepActivity {
  /** As in the journal: `launch-2`. */
  readonly step: string;
  /** Since this process has been working on it. */
  readonly sinceWallMs: number;
  readonly text: string;
  readonly failing: FailingCall | null;
}

export interface RecoveryActivity {
  readonly text: string;
  readonly captureProgressPercent: number | null;
  readonly steps: readonly StepActivity[];
}

export interface RecoveryRunner {
  /**
   * Resumes the recorded intent from its journal. Never re-decides. Resolves; throws only on a
   * broken invariant.
   */
  run(intent: OpenIntent, term: Term): Promise<RecoveryRunOutcome>;
  /**
   * An operator asked something of this recovery. A run that is under way ends soon, so that the
   * next run begins with the request. Absent means that a run has to end by itself.
   */
  interrupt?(opId: string): void;
  /**
   * Makes what is prepared for a suspect, or removes it where it was dropped. Resolves; throws only
   * on a broken invariant. Absent means that nothing is made.
   */
  prepare?(preparation: OpenPreparation, term: Term): Promise<PreparationOutcome>;
  /** What the recovery is doing right now, for people. Null when it does not run here. */
  activity(opId: string): RecoveryActivity | null;
  /**
   * Its hold was removed while it runs, so the pause after a failure ends now. Absent means that
   * it cannot be hurried.
   */
  retryNow?(opId: string): void;
}
