import type { Clock, Cloud } from '@understudy/shared';
import type { Given } from './given.ts';
import type { Things } from './things.ts';
import type { TriedCall } from './tried-calls.ts';

/** What some questions need beyond the rest. */
export type Need = 'otherSubnetId' | 'allocationId';

/** What a question is asked with. */
export interface Bench {
  readonly cloud: Cloud;
  readonly clock: Clock;
  readonly given: Given;
  readonly things: Things;
}

/**
 * - `as-assumed`: what SPEC supposes was seen;
 * - `otherwise`: it was seen to be otherwise, and somebody has to read the remedy;
 * - `unclear`: what was seen proves neither.
 */
export type Verdict = 'as-assumed' | 'otherwise' | 'unclear';

/** What was seen. No ids and no messages of AWS: the report may be shown to anybody. */
export interface Answer {
  readonly verdict: Verdict;
  readonly saw: string;
  readonly figures: Readonly<Record<string, number | string>>;
}

/** What is in use while a question is asked, at most. */
export interface Use {
  readonly instances: number;
  readonly minutes: number;
  readonly diskGiB: number;
}

/**
 * Something that only a real account can tell (decision 0003). It stands in a file of its own in
 * `questions/`, and in `questions.ts`.
 */
export interface Question {
  readonly id: string;
  readonly asks: string;
  /** What of SPEC or of the policy rests on the answer. */
  readonly restsOn: string;
  /** What to do when the answer is `otherwise`. */
  readonly remedy: string;
  readonly needs: readonly Need[];
  readonly use: Use;
  /** Calls that change something, for the dry run. */
  readonly calls: readonly TriedCall[];
  /**
   * Asks EC2. Whatever it makes, it makes by `bench.things`, which are removed afterwards, also
   * when it throws.
   */
  readonly ask: (bench: Bench) => Promise<Answer>;
}
