import type { MonotonicMs } from '@understudy/shared';

/**
 * Since when no look has shown something, on this process's own monotonic clock: what is not shown
 * once may only be behind (A9). A new leader begins anew. Bounded by what is kept on the books:
 * {@link retain}.
 */
export class Absences {
  readonly #sinceMs = new Map<string, MonotonicMs>();

  /**
   * How long `id` has not been shown, without a break, ms; 0 when it is shown, or missing for the
   * first time.
   */
  note(id: string, isShown: boolean, nowMs: MonotonicMs): number {
    if (isShown) {
      this.#sinceMs.delete(id);
      return 0;
    }
    const sinceMs = this.#sinceMs.get(id) ?? nowMs;
    this.#sinceMs.set(id, sinceMs);
    return nowMs - sinceMs;
  }

  /** Forgets everything but these. */
  retain(ids: ReadonlySet<string>): void {
    for (const id of this.#sinceMs.keys()) if (!ids.has(id)) this.#sinceMs.delete(id);
  }
}
