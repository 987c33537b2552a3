import type { ClusterSnapshot } from '@understudy/local-cluster';
import { type HistoryRecord, opIdOf } from '@understudy/shared';

/** One instance we crashed, and the outcome for its member. */
export interface Failure {
  readonly member: string;
  readonly oldInstanceId: string;
  readonly opId: string;
  readonly failedAtWallMs: number;
  /** Null: not replaced yet. */
  readonly replaced: Replacement | null;
}

export type Replacement = Pick<
  HistoryRecord,
  'newInstanceId' | 'newIncarnation' | 'startedAtWallMs' | 'endedAtWallMs' | 'leaderChanges' | 'launchAttempts'
>;

/**
 * The failures of a run, in order. They are closed as the coordinators' history shows their end.
 */
export class Failures {
  #all: Failure[] = [];

  begin(member: string, oldInstanceId: string, failedAtWallMs: number): void {
    this.#all.push({ member, oldInstanceId, opId: opIdOf(oldInstanceId), failedAtWallMs, replaced: null });
  }

  /** Call it with every snapshot, because history is trimmed within the run. */
  observe(snapshot: ClusterSnapshot): void {
    const ended = new Map(snapshot.recoveries.history.map((record) => [record.opId, record]));
    this.#all = this.#all.map((failure) => {
      const record = failure.replaced === null ? ended.get(failure.opId) : undefined;
      return record?.outcome === 'replaced' ? { ...failure, replaced: record } : failure;
    });
  }

  get all(): readonly Failure[] {
    return this.#all;
  }

  get open(): readonly Failure[] {
    return this.#all.filter((one) => one.replaced === null);
  }

  countOf(member: string): number {
    return this.#all.filter((one) => one.member === member).length;
  }
}
