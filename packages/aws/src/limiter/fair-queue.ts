import type { CallUrgency } from '@understudy/shared';
import { URGENCIES } from './call-rates.ts';

interface Place {
  readonly urgency: CallUrgency;
  readonly caller: string;
}

/** One of so many turns goes to the least urgent that wait, so that nobody waits for ever. */
const TURNS_PER_CHORE = 8;

/**
 * Who is next. The more urgent go first; among equals the callers take turns, so that one recovery
 * with many calls does not hold up another. Each caller's own calls stay in order.
 */
export class FairQueue<T extends Place> {
  /** Urgency → caller → its waiting calls. Callers stand in the order of their next turn. */
  readonly #waiting = new Map<CallUrgency, Map<string, Set<T>>>(URGENCIES.map((one) => [one, new Map()]));
  #size = 0;
  #turns = 0;

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const callers = this.#waiting.get(item.urgency);
    const own = callers?.get(item.caller) ?? new Set();
    own.add(item);
    callers?.set(item.caller, own);
    this.#size += 1;
  }

  /** False: it does not wait (any more). Costs nobody a turn. */
  delete(item: T): boolean {
    const callers = this.#waiting.get(item.urgency);
    const own = callers?.get(item.caller);
    if (!own?.delete(item)) return false;
    if (own.size === 0) callers?.delete(item.caller);
    this.#size -= 1;
    return true;
  }

  /** The one whose turn it is. Null: nobody waits. */
  head(): T | null {
    return this.#first((this.#turns + 1) % TURNS_PER_CHORE === 0 ? URGENCIES.toReversed() : URGENCIES);
  }

  /** The most urgent one: whose turn it is, but for a chore's. Null: nobody waits. */
  mostUrgent(): T | null {
    return this.#first(URGENCIES);
  }

  #first(order: readonly CallUrgency[]): T | null {
    for (const urgency of order)
      for (const own of this.#waiting.get(urgency)?.values() ?? []) for (const item of own) return item;
    return null;
  }

  /**
   * Takes the turn of `item`: its caller's next call waits behind the other callers'. One that goes
   * while it is another's turn leaves that one its turn.
   */
  take(item: T): void {
    const isItsTurn = item === this.head();
    if (!this.delete(item)) return;
    if (isItsTurn) this.#turns += 1;
    const callers = this.#waiting.get(item.urgency);
    const rest = callers?.get(item.caller);
    if (!callers || !rest) return;
    callers.delete(item.caller);
    callers.set(item.caller, rest);
  }

  /** All that wait, in no order. */
  *[Symbol.iterator](): Generator<T> {
    for (const callers of this.#waiting.values()) for (const own of callers.values()) yield* own;
  }
}
