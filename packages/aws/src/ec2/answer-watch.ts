import { type Log, type Problem, problemOf } from '@understudy/shared';
import { ForeignAnswer } from '../answers/own-answer.ts';
import type { Ec2Transport } from '../transport/transport.ts';

interface Streak {
  readonly count: number;
  readonly text: string;
}

/**
 * Tells people when something answers in EC2's place. It logs when that begins and when it ends,
 * counts in between, and reports a problem while it lasts. It does so per action, because a proxy
 * may refuse some and pass others.
 */
export class AnswerWatch {
  readonly #log: Log;
  /** Unbroken runs of foreign answers. One entry per action we use. */
  readonly #streaks = new Map<string, Streak>();
  readonly #totals = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Foreign answers since the start, by action. */
  get totals(): ReadonlyMap<string, number> {
    return this.#totals;
  }

  problem(): Problem | null {
    const [first] = this.#streaks;
    if (!first) return null;
    const [action, { count, text }] = first;
    const others = this.#streaks.size === 1 ? '' : `; the same for ${this.#streaks.size - 1} more actions`;
    return problemOf('CLOUD_ANSWERS_FOREIGN', `${action}: ${text} (${count} in a row)${others}`);
  }

  /** The same transport, watched. */
  watched(send: Ec2Transport): Ec2Transport {
    return async (action, input, options) => {
      try {
        const answer = await send(action, input, options);
        this.#own(action);
        return answer;
      } catch (error) {
        if (error instanceof ForeignAnswer) this.#foreign(action, error.message);
        else if (isAnswer(error)) this.#own(action);
        throw error;
      }
    };
  }

  #foreign(action: string, text: string): void {
    this.#totals.set(action, (this.#totals.get(action) ?? 0) + 1);
    const before = this.#streaks.get(action);
    if (!before) this.#log.warn('ec2.answer_foreign', { action, text });
    this.#streaks.set(action, { count: (before?.count ?? 0) + 1, text });
  }

  #own(action: string): void {
    const streak = this.#streaks.get(action);
    if (!streak) return;
    this.#streaks.delete(action);
    this.#log.info('ec2.answers_own_again', { action, foreignCount: streak.count });
  }
}

/** A refusal by EC2 is also an answer of its own. */
const isAnswer = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && '$fault' in error && '$metadata' in error;
