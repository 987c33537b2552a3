interface Due {
  readonly dueAtMs: number;
  readonly order: number;
  readonly run: (atMs: number) => void;
}

const DUE_MAX = 200_000;

/** Transitions that happen later, in order of time, then of scheduling. */
export class Schedule {
  readonly #dues: Due[] = [];
  #order = 0;

  at(dueAtMs: number, run: (atMs: number) => void): void {
    if (this.#dues.length >= DUE_MAX) throw new Error(`more than ${DUE_MAX} transitions are scheduled`);
    const due: Due = { dueAtMs, order: this.#order++, run };
    let low = 0;
    let high = this.#dues.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#dues[middle]?.dueAtMs ?? 0) <= dueAtMs) low = middle + 1;
      else high = middle;
    }
    this.#dues.splice(low, 0, due);
  }

  nextDueAtMs(): number | null {
    return this.#dues[0]?.dueAtMs ?? null;
  }

  /** Takes the first transition that is due by `nowMs`. */
  take(nowMs: number): Due | undefined {
    const next = this.#dues[0];
    return next && next.dueAtMs <= nowMs ? this.#dues.shift() : undefined;
  }
}
