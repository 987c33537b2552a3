import type { Clock, Keyspace } from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Leadership } from './leadership.ts';

export interface DrainedLeaderOptions {
  readonly coordinatorId: string;
  readonly view: ClusterState;
  readonly leadership: Pick<Leadership, 'current' | 'resign'>;
  readonly keys: Keyspace;
  readonly clock: Clock;
}

/** A leader that is drained hands over as soon as another one is there to lead. */
export function handOverWhenDrained({ coordinatorId, view, leadership, keys, clock }: DrainedLeaderOptions): void {
  view.onChange((changed) => {
    if (!changed.some((key) => key.startsWith(keys.drains) || key.startsWith(keys.coordinators))) return;
    if (leadership.current() === null) return;
    const drained = view.drained(clock.wallMs());
    const others = [...view.records.coordinators.keys()].filter((id) => !drained.has(id));
    if (drained.has(coordinatorId) && others.length > 0) void leadership.resign();
  });
}
