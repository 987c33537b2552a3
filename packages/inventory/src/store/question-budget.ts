/** Versions that are read for one answer at most: a whole fleet of 10 000, once. */
const READ_MAX = 10_000;
/**
 * An answer is copied from thread to thread and written as JSON by the one that leads. More than
 * this would hold it up.
 */
const ANSWER_BYTES_MAX = 262_144;

/** What one answer may still cost. Whoever asks goes on from its `next`. */
export class QuestionBudget {
  #reads = READ_MAX;
  #bytes = ANSWER_BYTES_MAX;

  /** False: enough was read for one answer. */
  mayRead(): boolean {
    return this.#reads > 0;
  }

  noteRead(count: number): void {
    this.#reads -= count;
  }

  /** Whether it still finds room. The first one always does. */
  takes(item: object): boolean {
    const isFirst = this.#bytes === ANSWER_BYTES_MAX;
    this.#bytes -= JSON.stringify(item).length;
    return isFirst || this.#bytes >= 0;
  }
}
