import type { Leadership } from '@understudy/coordinator/testing';
import { LeaderTerm } from '@understudy/shared';

interface Belief {
  readonly id: string;
  readonly term: number;
  readonly fromMs: number;
  untilMs: number;
}

/**
 * Who believed to lead when, on one monotonic clock that all coordinators of this process share.
 */
export class BeliefWitness {
  readonly beliefs: Belief[] = [];
  /** Samples at which somebody led. */
  ledSamples = 0;
  readonly #leaderships = new Map<string, Leadership>();
  readonly #timer = setInterval(() => this.#sample(), 2);

  watch(id: string, leadership: Leadership): void {
    this.#leaderships.set(id, leadership);
    leadership.onChange(() => {
      const term = leadership.current();
      if (!term || this.beliefs.some((belief) => belief.id === id && belief.term === term.number)) return;
      const belief: Belief = {
        id,
        term: term.number,
        fromMs: performance.now(),
        untilMs: Number.POSITIVE_INFINITY,
      };
      this.beliefs.push(belief);
      const end = () => {
        const deadlineMs = term instanceof LeaderTerm ? term.validUntilMs : Number.POSITIVE_INFINITY;
        belief.untilMs = Math.min(performance.now(), deadlineMs);
      };
      term.signal.addEventListener('abort', end, { once: true });
    });
  }

  /** Pairs of different coordinators whose beliefs overlap. Must be empty. */
  overlaps(): string[] {
    const found: string[] = [];
    for (const [index, a] of this.beliefs.entries())
      for (const b of this.beliefs.slice(index + 1))
        if (a.id !== b.id && a.fromMs < b.untilMs && b.fromMs < a.untilMs)
          found.push(`${a.id} ${a.fromMs}..${a.untilMs} and ${b.id} ${b.fromMs}..${b.untilMs}`);
    return found;
  }

  /** From the end of the last but one belief to the beginning of the last. */
  lastGapMs(): number {
    const [before, after] = this.beliefs.slice(-2);
    return before && after ? after.fromMs - before.untilMs : Number.NaN;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const leaders = [...this.#leaderships].filter(([, leadership]) => leadership.current() !== null);
    if (leaders.length > 0) this.ledSamples += 1;
    if (leaders.length > 1) throw new Error(`two leaders at once: ${leaders.map(([id]) => id).join(', ')}`);
  }
}
