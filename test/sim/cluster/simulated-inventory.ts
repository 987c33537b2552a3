import {
  createEc2Cloud,
  type Ec2Transport,
  RecentRows,
  resourcePagesOver,
  type ServiceLimiters,
} from '@understudy/aws';
import { inProcessService } from '@understudy/cloud-sim';
import { CrawlCounts, type InventoryKeeping } from '@understudy/coordinator/testing';
import { Crawler, type FinishedCrawl, type InventoryHistory, SqlHistory, type SqliteSql } from '@understudy/inventory';
import type { Random, ResourcePages } from '@understudy/shared';
import type { ProcessClock } from '../kernel/process-clock.ts';
import type { PausePoints } from './pause-points.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** As in production. */
const EVERY_MS = 120_000;
const PACE_MS = 250;
const FRESH_MS = 300_000;
const DAY_MS = 86_400_000;

export interface InventoryParts {
  /** The process, as EC2 sees it. */
  readonly name: string;
  readonly clock: ProcessClock;
  readonly points: PausePoints;
  readonly limiters: ServiceLimiters;
  readonly random: Random;
  readonly callTimeoutMs: number;
  readonly ec2: Ec2Transport;
}

/**
 * What a coordinator keeps the inventory history with: production code, and one database for all of
 * them in memory, as PostgreSQL is one. A process reaches it when it runs, and can be paused before
 * each call.
 */
export function simulatedInventory(cluster: SimulatedCluster, sql: SqliteSql, parts: InventoryParts): InventoryKeeping {
  const { clock, limiters, callTimeoutMs, random, ec2, name: reader } = parts;
  const recent = new RecentRows(clock, FRESH_MS);
  const how = { clock, random, callTimeoutMs, limiters, recent };
  const transports = {
    ec2,
    elbv2: inProcessService(cluster.cloud, 'elasticloadbalancing', { reader }),
    route53: inProcessService(cluster.cloud, 'route53', { reader }),
  };
  const listed = { fromMs: 0 };
  const pages = notingBegin(resourcePagesOver({ transports, ...how }), () => {
    listed.fromMs = cluster.kernel.monotonicMs();
  });
  const history = historyInReach(cluster, sql, parts, () => listed.fromMs);
  const scopes = { 'hosted-zone': [], 'target-group': [] };
  return {
    ...{ history, recent, counts: new CrawlCounts(() => recent.answered) },
    settings: { everyMs: EVERY_MS, keptMs: DAY_MS, versionsMax: 1_000_000, hostedZones: [], targetGroups: [] },
    crawler: new Crawler({ ...{ pages, history, clock, paceMs: PACE_MS, gapMs: 10 * EVERY_MS, scopes } }),
    seen: createEc2Cloud({ transport: ec2, ...how, limiter: limiters.of('ec2') }),
  };
}

function notingBegin(pages: ResourcePages, note: () => void): ResourcePages {
  return {
    pages: (listing, options) => {
      note();
      return pages.pages(listing, options);
    },
  };
}

/** Each process has its own pages of a crawl. */
function historyInReach(
  cluster: SimulatedCluster,
  sql: SqliteSql,
  { clock, points, name }: InventoryParts,
  listedFromMs: () => number,
): InventoryHistory {
  let opened: Promise<SqlHistory> | null = null;
  const reach = <T>(call: string, work: (history: SqlHistory) => Promise<T>): Promise<T> =>
    clock.arrival(points.pass(`inventory.${call}`, async () => work(await (opened ??= SqlHistory.over(sql)))));
  const finish = async (history: SqlHistory, crawl: FinishedCrawl, fromMs: number) => {
    const report = await history.finish(crawl);
    const isWhole = report.outcome === 'complete' && crawl.kind === 'instance';
    const states = isWhole ? await statesIn(history) : null;
    cluster.tell({ kind: 'crawl', who: name, of: crawl.kind, term: crawl.term, fromMs, states });
    return report;
  };
  return {
    page: (...all) => reach('page', (history) => history.page(...all)),
    finish: (crawl) => {
      const fromMs = listedFromMs();
      return reach('finish', (history) => finish(history, crawl, fromMs));
    },
    drop: (crawl) => reach('drop', (history) => history.drop(crawl)),
    versions: (query) => reach('versions', (history) => history.versions(query)),
    version: (...all) => reach('version', (history) => history.version(...all)),
    differences: (query) => reach('differences', (history) => history.differences(query)),
    standing: () => reach('standing', (history) => history.standing()),
    compact: (...all) => reach('compact', (history) => history.compact(...all)),
    close: () => Promise.resolve(),
  };
}

/** Every instance as the history has it now. */
async function statesIn(history: SqlHistory): Promise<ReadonlyMap<string, string>> {
  const states = new Map<string, string>();
  const now = { kind: 'instance', id: null, span: { kind: 'at', atWallMs: null }, where: [], limit: 1_000 } as const;
  for (let after: string | null = null; ; ) {
    const { versions, next } = await history.versions({ ...now, after });
    for (const { id, document } of versions) states.set(id, JSON.stringify(document.State));
    if (next === null) return states;
    after = next;
  }
}
