import { type HistoryRecord, LADDER_RUNGS, VOLUME_PATHS } from '@understudy/shared';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ClusterState } from '../store/cluster-state.ts';
import { groupLabel } from './group-label.ts';

type View = Pick<ClusterState, 'onChange'> & {
  readonly records: Pick<ClusterState['records'], 'history' | 'members'>;
};

const OUTCOMES: readonly HistoryRecord['outcome'][] = ['replaced', 'mended', 'not-mended', 'abandoned', 'undone'];

/** How each way can end. */
const ENDS: Readonly<Record<(typeof LADDER_RUNGS)[number], readonly HistoryRecord['outcome'][]>> = {
  reboot: ['mended', 'not-mended', 'abandoned'],
  'stop-start': ['mended', 'not-mended', 'abandoned'],
  reattach: ['replaced', 'not-mended', 'abandoned'],
  'snapshot-and-replace': ['replaced', 'abandoned'],
};
/** An undo is a recovery too, and no rung. */
const WAYS: readonly string[] = [...LADDER_RUNGS, 'undo'];
/** What a newer build calls a way or a path: labels have few values. */
const OTHER = 'other';
const known = (names: readonly string[], name: string): string => (names.includes(name) ? name : OTHER);

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
  readonly #byStrategy: Histogram<'strategy' | 'outcome'>;
  readonly #volumes: Counter<'path'>;
  /** Groups that have series. It holds no more than the label has values. */
  readonly #begun = new Set<string>();
  #known: ReadonlySet<string> | null = null;

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: 'understudy_recovery_duration_seconds',
      help: 'Duration of recoveries that ended, from intent to end, by group and outcome (replaced, mended, not-mended, abandoned, undone)',
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
    this.#byStrategy = new Histogram({
      name: 'understudy_recovery_strategy_seconds',
      help: 'Duration of recoveries that ended, from intent to end, by strategy (reboot, stop-start, reattach, snapshot-and-replace) and outcome',
      labelNames: ['strategy', 'outcome'],
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    });
    this.#volumes = new Counter({
      name: 'understudy_recovered_volumes_total',
      help: 'Disks of replaced members, by the path on which they got to the replacement',
      labelNames: ['path'],
      registers: [registry],
    });
    for (const strategy of LADDER_RUNGS)
      for (const outcome of ENDS[strategy]) this.#byStrategy.zero({ strategy, outcome });
    for (const path of VOLUME_PATHS) this.#volumes.inc({ path }, 0);
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

  #count(group: string, record: HistoryRecord): void {
    const { outcome, startedAtWallMs, endedAtWallMs, predictedMs, volumePaths = [] } = record;
    const strategy = known(WAYS, record.strategy ?? 'snapshot-and-replace');
    const durationMs = Math.max(0, endedAtWallMs - startedAtWallMs);
    this.#seconds.observe({ group, outcome }, durationMs / 1_000);
    this.#byStrategy.observe({ strategy, outcome }, durationMs / 1_000);
    for (const { path } of volumePaths) this.#volumes.inc({ path: known(VOLUME_PATHS, path) });
    if (predictedMs !== undefined && durationMs > 0) this.#predicted.observe({ group }, predictedMs / durationMs);
  }
}
