import type { OpinionVerdict } from '@understudy/shared';
import type { AssessReason } from './evidence.ts';

/** What one rule of the assessment says, with its reason for people. */
export interface Judgement {
  readonly verdict: OpinionVerdict;
  readonly reasonCode: AssessReason;
  readonly reason: string;
  readonly wouldChange: readonly string[];
  readonly recheckInMs: number;
  readonly act: boolean;
}

/** When a member is judged again, in ms: soon while something is being decided, later otherwise. */
export const SOON_MS = 250;
export const LATER_MS = 5_000;
