import { CHECK_SLOT_COUNT } from '@understudy/shared';

/**
 * Agents whose failing checks are timed at the same moment. Each costs about 200 bytes, together 0.8 MB (8 bytes per agent of 100 000). More
 * at once is a mass anyway; theirs are not timed until there is room, so they never count as failing for long.
 */
export const TIMED_AGENTS_MAX = 4_096;

/** Not failing. */
const NEVER = Number.NEGATIVE_INFINITY;

/** Since when each check of an agent has been failing, in every heartbeat since; by entry. Bounded; no clock of its own. */
export class FailingChecks {
  readonly #sinceMs = new Map<number, Float64Array>();

  get count(): number {
    return this.#sinceMs.size;
  }

  /** `failing`: one bit per slot, not 0. `unbroken`: the heartbeats have no gap, so what failed before has failed all along. */
  note(entry: number, failing: number, unbroken: boolean, nowMs: number): void {
    let since = this.#sinceMs.get(entry);
    if (!since) {
      if (this.#sinceMs.size >= TIMED_AGENTS_MAX) return;
      since = new Float64Array(CHECK_SLOT_COUNT).fill(NEVER);
      this.#sinceMs.set(entry, since);
    }
    for (let slot = 0; slot < CHECK_SLOT_COUNT; slot++) {
      if ((failing & (1 << slot)) === 0) since[slot] = NEVER;
      else if (!unbroken || since[slot] === NEVER) since[slot] = nowMs;
    }
  }

  forget(entry: number): void {
    this.#sinceMs.delete(entry);
  }

  /** null: it does not fail, or it is not timed. */
  sinceMs(entry: number, slot: number): number | null {
    const since = this.#sinceMs.get(entry)?.[slot] ?? NEVER;
    return since === NEVER ? null : since;
  }
}
