import { type Judgement, judge, median, type Point } from './flatness.ts';
import { type MeasureName, measureOf } from './measures.ts';

/** The subject of a series. */
export type Kind = 'coordinator' | 'agent' | 'cloud-sim' | 'etcd' | 'etcd keys' | 'EC2 objects';

/**
 * One measure of one process, or of the whole cluster. A process that is started again begins a new
 * series.
 */
export interface Series {
  readonly kind: Kind;
  readonly name: string;
  readonly measure: MeasureName;
  readonly points: readonly Point[];
}

export interface Row {
  readonly kind: Kind;
  readonly measure: MeasureName;
  /**
   * Median of all samples of the kind in the first and in the last third of the run, in units of
   * the samples.
   */
  readonly firstThird: number;
  readonly lastThird: number;
  /** The judged series with the steepest rise in proportion to what it is allowed. */
  readonly worst: (Judgement & { readonly name: string }) | null;
  readonly seriesCount: number;
  readonly judgedCount: number;
}

/** All samples of a run. */
export class Recording {
  readonly #series = new Map<string, Series & { readonly points: Point[] }>();

  add(kind: Kind, name: string, measure: MeasureName, point: Point): void {
    const key = `${kind} ${name} ${measure}`;
    const known = this.#series.get(key);
    if (known) known.points.push(point);
    else this.#series.set(key, { kind, name, measure, points: [point] });
  }

  series(): readonly Series[] {
    return [...this.#series.values()];
  }

  get sampleCount(): number {
    let count = 0;
    for (const { points } of this.#series.values()) count += points.length;
    return count;
  }

  /** The longest series of a measure of a kind. */
  longest(kind: Kind, measure: MeasureName): Series | null {
    const own = this.series().filter((one) => one.kind === kind && one.measure === measure);
    return own.toSorted((a, b) => b.points.length - a.points.length)[0] ?? null;
  }
}

/**
 * One row per kind and measure. Series shorter than `shortestMs` are not judged by themselves, only
 * seen in the thirds.
 */
export function rowsOf(recording: Recording, runMs: number, shortestMs: number): readonly Row[] {
  const groups = Map.groupBy(recording.series(), (one) => `${one.kind} ${one.measure}`);
  return [...groups.values()].map((group) => rowOf(group, runMs, shortestMs));
}

function rowOf(group: readonly Series[], runMs: number, shortestMs: number): Row {
  const [{ kind, measure }] = group as [Series];
  const values = (from: number, to: number) =>
    group.flatMap(({ points }) => points.filter(({ atMs }) => atMs >= from && atMs < to).map(({ value }) => value));
  const { allowance } = measureOf(measure);
  const judged = allowance
    ? group
        .map((one) => ({ ...judge(one.points, allowance, shortestMs), name: one.name }))
        .filter((one) => one.verdict !== 'too short')
        .toSorted((a, b) => b.growth / b.allowed - a.growth / a.allowed)
    : [];
  return {
    kind,
    measure,
    firstThird: median(values(0, runMs / 3)),
    lastThird: median(values((runMs * 2) / 3, runMs)),
    worst: judged[0] ?? null,
    seriesCount: group.length,
    judgedCount: judged.length,
  };
}

export const growing = (rows: readonly Row[]): readonly Row[] => rows.filter((row) => row.worst?.verdict === 'growing');
