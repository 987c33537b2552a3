import type { SimulatedCluster } from '../cluster/simulated-cluster.ts';
import type { MakeWatcher } from './invariant.ts';

/** As the specification says it, whatever the observer thinks of itself (S11). */
const STALL_TICKS = 3;
const QUIET_AFTER_STALL_MS = 1_000;

/** Why this coordinator may accuse nobody now; null: it may. */
function mustAbstain(cluster: SimulatedCluster, coordinatorId: string, nowMs: number): string | null {
  const host = cluster.hosts.find((one) => one.id === coordinatorId);
  const life = host?.life;
  if (!host || !life) return null;
  const own = life.coordinator.observer.abstention;
  if (own !== null) return `it abstains itself: ${own.reason}`;
  const { warmUpMs } = host.config.observer;
  const upMs = nowMs - life.startedAtMs;
  if (upMs < warmUpMs * 0.9) return `it is up for ${upMs.toFixed(0)} ms only`;
  const { forMs, endedAtMs } = life.clock.lastPause;
  const sinceMs = nowMs - endedAtMs;
  const stalled = forMs > STALL_TICKS * host.config.loop.tickMs * 1.1;
  return stalled && sinceMs < QUIET_AFTER_STALL_MS * 0.9
    ? `it came back from a pause of ${forMs.toFixed(0)} ms ${sinceMs.toFixed(0)} ms ago`
    : null;
}

/** I5. */
export const watchAccusationRules: MakeWatcher = (cluster, report) => ({
  onClusterEvent(clusterEvent, nowMs) {
    if (clusterEvent.kind !== 'opinion-sent') return;
    const { coordinatorId, member, verdict } = clusterEvent;
    if (verdict !== 'suspect' && verdict !== 'dead') return;
    const why = mustAbstain(cluster, coordinatorId, nowMs);
    if (why !== null) report('I5', `${coordinatorId} calls ${member} ${verdict}, but ${why}`);
  },
});
