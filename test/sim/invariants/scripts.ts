import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/**
 * I16 (S35): whatever is delivered twice, late, or sent again after a lost reply or by another
 * leader, a script runs once for the id of its hook, and never after the time that whoever asked
 * for it had given it. Time is what the clocks say that are in it: the coordinator's when it asks,
 * the instance's when it runs.
 */
class Scripts implements Watcher {
  readonly #report: Report;
  /** Hook id → until when it may be begun. */
  readonly #untilWallMs = new Map<string, number>();
  readonly #ran = new Map<string, string>();

  constructor(report: Report) {
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent): void {
    if (clusterEvent.kind !== 'script') return;
    const { id, who, what, wallMs } = clusterEvent;
    const untilWallMs = this.#untilWallMs.get(id) ?? 0;
    if (what === 'asked') this.#untilWallMs.set(id, Math.max(untilWallMs, wallMs));
    if (what !== 'run') return;
    const before = this.#ran.get(id);
    if (before !== undefined) this.#report('I16', `${id} ran on ${who}, and had run on ${before}`);
    this.#ran.set(id, who);
    if (wallMs >= untilWallMs) this.#report('I16', `${id} ran on ${who} ${wallMs - untilWallMs} ms after its time`);
  }
}

export const watchScripts: MakeWatcher = (_cluster, report) => new Scripts(report);
