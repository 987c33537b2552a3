import type { ClusterSnapshot } from '@understudy/local-cluster';
import { type HistoryRecord, opIdOf } from '@understudy/shared';

/** One instance we crashed, and what became of its member. */
export interface Failure {
  readonly member: string;
  readonly oldInstanceId: string;
  readonly opId: string;
  readonly failedAtWallMs: number;
  /** null: not replaced yet. */
  readonly replaced: Replacement | null;
}

export type Replacement = Pick<
  HistoryRecord,
  'newInstanceId' | 'newIncarnation' | 'startedAtWallMs' | 'endedAtWallMs' | 'leaderChanges' | 'launchAttempts'
>;

/** The failures of a run, in order; closed as the coordinators' history shows their end. */
export class Failures {
  #all: Failure[] = [];

  begin(member: string, oldInstanceId: string, failedAtWallMs: number): void {
    this.#all.push({ member, oldInstanceId, opId: opIdOf(oldInstanceId), failedAtWallMs, replaced: null });
  }

  /** History is trimmed within the run: look at every snapshot. */
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
