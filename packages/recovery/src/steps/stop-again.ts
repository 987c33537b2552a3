import type { CloudInstance } from '@understudy/shared';
import { hasLanded, isStopOpen } from '../core/open-stops.ts';
import { answersIn, type Attempt } from '../effect.ts';

type Seen = Pick<CloudInstance, 'state' | 'stateReasonCode'>;

/**
 * **S** (S28) What one run of a step knows of the Stops by which it ends a late start of ours. The
 * step sends one only while it sees the fenced instance run, so a stop that is seen later is one of
 * them that worked.
 */
export class StopsAgain {
  #answered = 0;
  #taken = false;
  #landedBefore = false;
  #seen: Seen | null = null;

  /** What came of the last call of the step, if that was a Stop. */
  learn(last: Attempt | null): void {
    if (last?.name !== 'stop') return;
    this.#answered += answersIn(last);
    if (last.error === null) this.#taken = true;
  }

  /** What EC2 shows of the instance. `sent`: Stops of the step, of all leaders. */
  look(seen: Seen | undefined, sent: number): void {
    this.#seen = seen ?? null;
    // Before the first of them the instance may still show the stop of the fence.
    if (seen && sent > this.#answered && !this.#taken) this.#landedBefore ||= hasLanded(seen, false);
  }

  /** May one land yet? */
  isOpen(sent: number): boolean {
    const seen = this.#seen ?? { state: 'running', stateReasonCode: null };
    return isStopOpen(
      { sent, answered: this.#answered, taken: this.#taken, landedBefore: this.#landedBefore, seen },
      false,
    );
  }
}
