import { CHECK_SLOT_COUNT } from '@understudy/shared';

/**
 * Agents whose failing checks are timed at the same moment: 0.18 MB in all, 1.8 bytes per agent of
 * 100 000. At one recovery per minute they are 17 hours of work already; those beyond are not timed
 * until there is room, so that they never count as failing for long.
 */
export const TIMED_AGENTS_MAX = 1_024;

/** Not failing. */
const NEVER = Number.NEGATIVE_INFINITY;
const FIRST_ROWS = 64;

/**
 * Since when each check of an agent has been failing, in every heartbeat since; by entry. Bounded;
 * no clock of its own.
 */
export class FailingChecks {
  readonly #rows = new Map<number, number>();
  readonly #free: number[] = [];
  /** One row of `CHECK_SLOT_COUNT` per timed agent. Nothing before the first check fails. */
  #sinceMs = new Float64Array(0);

  get count(): number {
    return this.#rows.size;
  }

  /**
   * `failing`: one bit per slot, not 0. `unbroken`: the heartbeats have no gap, so what failed
   * before has failed all along.
   */
  note(entry: number, failing: number, unbroken: boolean, nowMs: number): void {
    const row = this.#rows.get(entry) ?? this.#take(entry);
    if (row === null) return;
    const since = this.#sinceMs;
    for (let slot = 0; slot < CHECK_SLOT_COUNT; slot++) {
      const at = row * CHECK_SLOT_COUNT + slot;
      if ((failing & (1 << slot)) === 0) since[at] = NEVER;
      else if (!unbroken || since[at] === NEVER) since[at] = nowMs;
    }
  }

  /** null: no room. */
  #take(entry: number): number | null {
    if (this.#rows.size >= TIMED_AGENTS_MAX) return null;
    const row = this.#free.pop() ?? this.#rows.size;
    if ((row + 1) * CHECK_SLOT_COUNT > this.#sinceMs.length) this.#grow();
    this.#sinceMs.fill(NEVER, row * CHECK_SLOT_COUNT, (row + 1) * CHECK_SLOT_COUNT);
    this.#rows.set(entry, row);
    return row;
  }

  #grow(): void {
    const old = this.#sinceMs;
    this.#sinceMs = new Float64Array(Math.max(FIRST_ROWS * CHECK_SLOT_COUNT, old.length * 2));
    this.#sinceMs.set(old);
  }

  forget(entry: number): void {
    const row = this.#rows.get(entry);
    if (row === undefined) return;
    this.#rows.delete(entry);
    this.#free.push(row);
  }

  /** null: it does not fail, or it is not timed. */
  sinceMs(entry: number, slot: number): number | null {
    const row = this.#rows.get(entry);
    const since = row === undefined ? NEVER : (this.#sinceMs[row * CHECK_SLOT_COUNT + slot] ?? NEVER);
    return since === NEVER ? null : since;
  }
}
