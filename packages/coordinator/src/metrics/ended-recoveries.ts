import type { HistoryRecord } from '@understudy/shared';
import { Histogram, type Registry } from 'prom-client';
import type { ClusterState } from '../store/cluster-state.ts';
import { groupLabel } from './group-label.ts';

type View = Pick<ClusterState, 'onChange'> & {
  readonly records: Pick<ClusterState['records'], 'history' | 'members'>;
};

const OUTCOMES: readonly HistoryRecord['outcome'][] = ['replaced', 'mended', 'not-mended', 'abandoned'];

/** From seconds (a reboot) to hours (a volume of terabytes that is copied). */
const BUCKETS_SECONDS = [15, 30, 60, 120, 300, 600, 1_200, 3_600, 14_400];

/** 1 is exact. Below it took longer than predicted, above shorter. */
const RATIO_BUCKETS = [0.1, 0.25, 0.5, 0.75, 0.9, 1.1, 1.5, 2, 4];

/**
 * Counts recoveries as they enter the history, with how long they took. Every coordinator sees each
 * of them, so all count the same, whoever led: a leader that dies with the last write of a recovery
 * takes no count with it. Those that had ended before this process began are not counted. It keeps
 * one string for each entry of the history that lies in etcd.
 */
export class EndedRecoveries {
  readonly #seconds: Histogram<'group' | 'outcome'>;
  readonly #predicted: Histogram<'group'>;
  /** Groups that have series. It holds no more than the label has values. */
  readonly #begun = new Set<string>();
  #known: ReadonlySet<string> | null = null;

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: 'understudy_recovery_duration_seconds',
      help: 'Duration of recoveries that ended, from intent to end, by group and outcome (replaced, mended, not-mended, abandoned)',
      labelNames: ['group', 'outcome'],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    });
    this.#predicted = new Histogram({
      name: 'understudy_recovery_predicted_ratio',
      help: 'Predicted duration of recoveries that ended, divided by the actual one, by group; below 1: it took longer',
      labelNames: ['group'],
      buckets: RATIO_BUCKETS,
      registers: [registry],
    });
  }

  /** Call once. The first change a view tells of is its first list: what had ended by then. */
  follow(view: View): void {
    view.onChange((changed) => {
      if (changed.some((key) => key.includes('/members/'))) this.#begin(view);
      if (this.#known === null || changed.some((key) => key.includes('/history/'))) this.#look(view);
    });
  }

  /** Shows 0 for every group: the first recovery is an increase only where 0 stood before. */
  #begin({ records }: View): void {
    const group = groupLabel(records.members.keys());
    for (const name of new Set([...records.members.keys()].map(group))) {
      if (this.#begun.has(name)) continue;
      this.#begun.add(name);
      for (const outcome of OUTCOMES) this.#seconds.zero({ group: name, outcome });
    }
  }

  #look({ records }: View): void {
    const before = this.#known;
    const ended = [...records.history].flatMap(([member, entries]) =>
      [...entries.values()].map(({ record }) => ({ member, record })),
    );
    this.#known = new Set(ended.map(({ record }) => record.opId));
    if (before === null) return;
    const group = groupLabel(records.members.keys());
    for (const { member, record } of ended) if (!before.has(record.opId)) this.#count(group(member), record);
  }

  #count(group: string, { outcome, startedAtWallMs, endedAtWallMs, predictedMs }: HistoryRecord): void {
    const durationMs = Math.max(0, endedAtWallMs - startedAtWallMs);
    this.#seconds.observe({ group, outcome }, durationMs / 1_000);
    if (predictedMs !== undefined && durationMs > 0) this.#predicted.observe({ group }, predictedMs / durationMs);
  }
}
