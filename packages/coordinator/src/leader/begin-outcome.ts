import type { MonotonicMs, Revision } from '@understudy/shared';
import type { WantedHold } from './holds.ts';

/** Why beginning came to nothing; `hold: null` when nobody needs to know (it passes by itself). */
export interface Refusal {
  readonly hold: WantedHold | null;
  /** Not tried again before that. */
  readonly againAtMs: MonotonicMs;
}

/** What became of a decision to begin a recovery. */
export type BeginOutcome =
  /** The intent is written; `revision`: of the store. */
  | { readonly kind: 'begun'; readonly revision: Revision }
  | ({ readonly kind: 'refused' } & Refusal)
  /** What it was decided on is no longer so, or the term is over: there is nothing to remember. */
  | { readonly kind: 'moot' };

export const MOOT: BeginOutcome = { kind: 'moot' };
