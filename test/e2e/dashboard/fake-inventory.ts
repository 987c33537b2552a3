import type { InventoryPage, InventoryStanding } from '@understudy/shared';

const HOUR_MS = 3_600_000;
const KINDS = ['instance', 'volume', 'snapshot', 'interface', 'address', 'security-group'] as const;

/** One instance, which has been stopped an hour ago. */
export function inventory(path: string, query: URLSearchParams, nowMs: number): InventoryPage | InventoryStanding {
  const startedMs = nowMs - 24 * HOUR_MS;
  const stoppedMs = nowMs - HOUR_MS;
  if (path === '/v1/inventory') {
    const moments = { lastCrawlWallMs: nowMs, lastCompleteWallMs: nowMs };
    const covered = [{ fromWallMs: startedMs, toWallMs: nowMs }];
    const last = { outcome: 'complete', detail: '' } as const;
    const kinds = KINDS.map((kind) => ({ kind, current: 1, versions: 2, ...moments, ...last, covered }));
    return { coordinatorId: 'coordinator-b', kinds, sizeBytes: 1_000 };
  }
  if (query.get('where') === 'State.Name=nothing') return { versions: [], next: null };
  const at = Number(query.get('at') ?? nowMs);
  const name = at < stoppedMs ? 'running' : 'stopped';
  const version = {
    ...{ kind: 'instance', id: 'i-0123456789abcdef0', crawl: '1-1', changedBy: null },
    ...(at < stoppedMs
      ? { validFromWallMs: startedMs, validToWallMs: stoppedMs, lastSeenWallMs: stoppedMs, end: 'changed' as const }
      : { validFromWallMs: stoppedMs, validToWallMs: null, lastSeenWallMs: nowMs, end: null }),
    document: { State: { Name: name }, Tags: { Name: 'db', note: '<img src=x onerror=alert(1)>' } },
  };
  return { versions: [version], next: null };
}
