/**
 * Gaps between heartbeats that are kept. Their median shrugs off two that a pause, or lost
 * datagrams, made longer.
 */
const GAPS_KEPT = 5;
const GAPS_WANTED = 3;

/**
 * The last gaps between heartbeats of those who had a long one lately. Bounded by the entries there
 * are; whoever speaks often enough again has none.
 */
export class LongGaps {
  readonly #gapsMs = new Map<number, number[]>();

  /** `longMs`: from here on a gap is worth remembering. */
  note(entry: number, gapMs: number, longMs: number): void {
    const known = this.#gapsMs.get(entry);
    if (!known && gapMs <= longMs) return;
    const gaps = [...(known ?? []), gapMs].slice(-GAPS_KEPT);
    if (gaps.some((gap) => gap > longMs)) this.#gapsMs.set(entry, gaps);
    else this.#gapsMs.delete(entry);
  }

  /** Median of the last gaps, ms; 0: none of them was long, or too few are known. */
  medianMs(entry: number): number {
    const gaps = this.#gapsMs.get(entry);
    if (!gaps || gaps.length < GAPS_WANTED) return 0;
    return gaps.toSorted((a, b) => a - b)[(gaps.length - 1) >> 1] ?? 0;
  }

  forget(entry: number): void {
    this.#gapsMs.delete(entry);
  }
}
