import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Declares metrics whose values are kept elsewhere: name, help and how to read it, in one place. It
 * is read when somebody scrapes. null: not known now, so no value is shown.
 */
export class ReadAtScrape {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  gauge(name: string, help: string, read: () => number | null): void {
    const registers = [this.#registry];
    new Gauge({
      ...{ name, help, registers },
      collect() {
        const value = read();
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  }

  /** 1 or 0. */
  flag(name: string, help: string, read: () => boolean): void {
    this.gauge(name, help, () => (read() ? 1 : 0));
  }

  /** One value for each `label` there is now. */
  gauges(name: string, help: string, label: string, read: () => Iterable<readonly [string, number]>): void {
    new Gauge({
      ...{ name, help, labelNames: [label], registers: [this.#registry] },
      collect() {
        this.reset();
        for (const [key, value] of read()) this.set({ [label]: key }, value);
      },
    });
  }

  /** One value for each set of labels there is now. */
  gaugesBy<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    read: () => Iterable<readonly [Readonly<Record<L, string>>, number]>,
  ): void {
    new Gauge({
      ...{ name, help, labelNames: [...labelNames], registers: [this.#registry] },
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set({ ...labels }, value);
      },
    });
  }

  /** Counted since the process began. */
  total(name: string, help: string, read: () => number | null): void {
    const registers = [this.#registry];
    new Counter({
      ...{ name, help, registers },
      collect() {
        const total = read();
        this.reset();
        if (total === null) this.remove();
        else this.inc(total);
      },
    });
  }

  /** The same by `label`. */
  totals(name: string, help: string, label: string, read: () => Iterable<readonly [string, number]>): void {
    new Counter({
      ...{ name, help, labelNames: [label], registers: [this.#registry] },
      collect() {
        this.reset();
        for (const [key, total] of read()) this.inc({ [label]: key }, total);
      },
    });
  }
}

/** How often each name is there. */
export function countBy(names: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** A duration in the unit of Prometheus. null: it is not known. */
export const secondsOf = (durationMs: number | null): number | null =>
  durationMs === null ? null : durationMs / 1_000;
