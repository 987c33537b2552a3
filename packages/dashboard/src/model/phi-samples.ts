/** Samples kept of each member: two minutes, at one a second. */
export const SAMPLES = 120;
/** What a sparkline shows as full height. Higher is drawn there: nobody reads φ from its height. */
const FULL = 8;

/**
 * The last figures of φ, by member. Fixed memory for each, and members that are gone are dropped.
 */
export class PhiSamples {
  readonly #rings = new Map<string, { readonly values: Float32Array; count: number }>();

  note(member: string, phi: number | null): void {
    const ring = this.#rings.get(member) ?? { values: new Float32Array(SAMPLES), count: 0 };
    ring.values[ring.count++ % SAMPLES] = phi ?? Number.NaN;
    this.#rings.set(member, ring);
  }

  keepOnly(members: ReadonlyMap<string, unknown>): void {
    for (const member of this.#rings.keys()) if (!members.has(member)) this.#rings.delete(member);
  }

  /** Oldest first, at most `count`. NaN: there was no figure. */
  last(member: string, count: number): readonly number[] {
    const ring = this.#rings.get(member);
    if (!ring) return [];
    const shown = Math.min(count, ring.count, SAMPLES);
    return Array.from({ length: shown }, (_, index) => ring.values[(ring.count - shown + index) % SAMPLES] ?? 0);
  }
}

/** A `points` attribute for a box of this size; the newest sample is at the right edge. */
export function sparkline(values: readonly number[], count: number, width: number, height: number): string {
  const step = width / (count - 1);
  const left = count - values.length;
  return values
    .flatMap((phi, index) => {
      if (Number.isNaN(phi)) return [];
      const x = Math.round((left + index) * step * 10) / 10;
      const y = Math.round((1 - Math.min(phi, FULL) / FULL) * (height - 2) * 10) / 10 + 1;
      return [`${x},${y}`];
    })
    .join(' ');
}
