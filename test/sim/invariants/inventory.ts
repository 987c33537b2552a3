import type { TransitionEvent } from '@understudy/cloud-sim';
import type { ClusterEvent } from '../cluster/cluster-event.ts';
import type { MakeWatcher, Report, Watcher } from './invariant.ts';

/** So old may be what EC2 answers: late consistency, and stale reads of four seconds. */
const STALE_MS = 15_000;

interface Stay {
  readonly state: string;
  readonly fromMs: number;
}

/**
 * I15: each complete crawl leaves the inventory history with what EC2 had of every instance while
 * the crawl was made, and no leader writes after one of a later term has.
 */
class History implements Watcher {
  readonly #report: Report;
  /** Instance → what EC2 had of it, since when. */
  readonly #truth = new Map<string, Stay[]>();
  #newestTerm = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  onClusterEvent(clusterEvent: ClusterEvent, nowMs: number): void {
    if (clusterEvent.kind === 'cloud' && clusterEvent.event.kind === 'transition')
      this.#became(clusterEvent.event, nowMs);
    if (clusterEvent.kind === 'crawl') this.#crawled(clusterEvent);
  }

  #became({ resourceKind, resourceId, to }: TransitionEvent, nowMs: number): void {
    if (resourceKind !== 'instance') return;
    this.#truth.set(resourceId, [...(this.#truth.get(resourceId) ?? []), { state: to ?? 'forgotten', fromMs: nowMs }]);
  }

  #crawled({ who, of, term, fromMs, states }: Extract<ClusterEvent, { kind: 'crawl' }>): void {
    if (term < this.#newestTerm)
      this.#report('I15', `${who} wrote what it saw of ${of} in term ${term}, after term ${this.#newestTerm} had`);
    this.#newestTerm = Math.max(this.#newestTerm, term);
    if (states === null) return;
    for (const [id, stays] of this.#truth) this.#compare(id, lastOf(stays, fromMs - STALE_MS), states.get(id));
    for (const id of states.keys())
      if (!this.#truth.has(id)) this.#report('I15', `the history has ${id}, which EC2 never had`);
  }

  /** `had`: what it was at any moment since the crawl began. */
  #compare(id: string, had: readonly string[], said: string | undefined): void {
    const mayBeAbsent = had.length === 0 || had.some((state) => ['pending', 'terminated', 'forgotten'].includes(state));
    if (said === undefined && !mayBeAbsent)
      this.#report('I15', `the history has no ${id}, which was ${had.join(', then ')}`);
    if (said !== undefined && had.length > 0 && !had.some((state) => said.includes(`"${state}"`)))
      this.#report('I15', `the history has ${id} as ${said}, which was ${had.join(', then ')}`);
  }
}

/** The states since then, the one that it had then first. */
function lastOf(stays: readonly Stay[], sinceMs: number): readonly string[] {
  const before = stays.findLast(({ fromMs }) => fromMs <= sinceMs);
  const after = stays.filter(({ fromMs }) => fromMs > sinceMs).map(({ state }) => state);
  return before === undefined ? ['pending', ...after] : [before.state, ...after];
}

export const watchInventory: MakeWatcher = (_cluster, report) => new History(report);
