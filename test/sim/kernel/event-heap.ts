/** One thing that happens later. */
export interface Pending {
  readonly dueAtMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

const comesBefore = (a: Pending, b: Pending): boolean =>
  a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.order < b.order);

/**
 * A binary heap by due time, then by order of scheduling, so that equal times fire in the order
 * they were asked for.
 */
export class EventHeap {
  readonly #entries: Pending[] = [];

  get size(): number {
    return this.#entries.length;
  }

  peek(): Pending | undefined {
    return this.#entries[0];
  }

  push(pending: Pending): void {
    const entries = this.#entries;
    let at = entries.push(pending) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = entries[above] as Pending;
      if (!comesBefore(pending, parent)) break;
      entries[at] = parent;
      at = above;
    }
    entries[at] = pending;
  }

  pop(): Pending | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (last !== undefined && entries.length > 0) this.#sink(last);
    return first;
  }

  /** `moved` takes the place of the root and goes down to where it belongs. */
  #sink(moved: Pending): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const left = entries[below];
      if (left === undefined) break;
      const right = entries[below + 1];
      if (right !== undefined && comesBefore(right, left)) below += 1;
      const child = entries[below] as Pending;
      if (!comesBefore(child, moved)) break;
      entries[at] = child;
      at = below;
    }
    entries[at] = moved;
  }
}
