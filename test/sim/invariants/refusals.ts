import type { CoordinatorHost } from '../cluster/coordinator-host.ts';
import type { MakeWatcher } from './invariant.ts';

/**
 * A rehearsal is due after 10 s without a write, and looked for every 5 s; the rest is for slow
 * answers.
 */
const SHOWN_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 5_000;

/** Since when it has been able to notice what etcd answers; Infinity: it cannot. */
function noticesSinceMs({ runs, life }: CoordinatorHost): number {
  if (!runs || !life || life.client.isCut) return Number.POSITIVE_INFINITY;
  return Math.max(life.startedAtMs, life.clock.lastPause.endedAtMs);
}

/** I10: etcd that takes no writes is a problem that every coordinator shows. */
export const watchRefusals: MakeWatcher = (cluster, report) => {
  let sinceMs: number | null = null;
  let lookedAtMs = 0;
  const ableSince = new Map<CoordinatorHost, number>();
  return {
    onClusterEvent(_clusterEvent, nowMs) {
      if (cluster.kv.refusesWrites === null || cluster.kv.isSuspended) {
        sinceMs = null;
        ableSince.clear();
        return;
      }
      sinceMs ??= nowMs;
      if (nowMs - lookedAtMs < LOOK_EVERY_MS) return;
      lookedAtMs = nowMs;
      for (const host of cluster.hosts) {
        const able = Math.max(noticesSinceMs(host), sinceMs);
        if (!Number.isFinite(able)) {
          ableSince.delete(host);
          continue;
        }
        // Whatever kept it from etcd is over since the look before at the latest.
        const fromMs = Math.max(able, ableSince.get(host) ?? nowMs);
        ableSince.set(host, fromMs);
        if (nowMs - fromMs < SHOWN_WITHIN_MS) continue;
        const codes = host.life?.coordinator.api.notReady().map((one) => one.code) ?? [];
        if (codes.length === 0)
          report(
            'I10',
            `etcd has refused writes for ${(nowMs - sinceMs).toFixed(0)} ms, and ${host.id} says it is ready`,
          );
      }
    },
  };
};
