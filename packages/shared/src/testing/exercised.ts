/**
 * Counts what the runs of a property really did. A generator that hardly ever makes the interesting
 * case turns a property into one that tests next to nothing and stays green. So each property
 * counts, and fails when it has too few.
 *
 * ```ts
 * const seen = exercised();
 * fc.assert(fc.property(steps, (all) => { … seen.note(verdict); … }));
 * seen.atLeast({ fresh: 1_000, replayed: 500 });
 * ```
 */
export interface Exercised {
  note(what: string, count?: number): void;
  readonly counts: ReadonlyMap<string, number>;
  /** @throws with every count when one of them is smaller than asked for. */
  atLeast(wanted: Readonly<Record<string, number>>): void;
}

export function exercised(): Exercised {
  const counts = new Map<string, number>();
  return {
    counts,
    note: (what, count = 1) => {
      counts.set(what, (counts.get(what) ?? 0) + count);
    },
    atLeast: (wanted) => {
      const short = Object.entries(wanted).filter(([what, least]) => (counts.get(what) ?? 0) < least);
      if (short.length === 0) return;
      const text = short.map(([what, least]) => `${what} ${counts.get(what) ?? 0} times, want ${least}`).join('; ');
      throw new Error(`the property exercised too little: ${text}. All: ${JSON.stringify(Object.fromEntries(counts))}`);
    },
  };
}
