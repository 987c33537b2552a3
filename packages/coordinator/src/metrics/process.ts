import type { StatusView } from '@understudy/shared';
import type { ReadAtScrape } from './read-at-scrape.ts';

/** The build that runs, as labels of a metric that is always 1 (the way of Prometheus). */
export function buildMetrics(
  declare: ReadAtScrape,
  build: { readonly version: string; readonly featureLevel: StatusView['featureLevels']['understood'] },
): void {
  const labels = { version: build.version, node: process.version, feature_level: String(build.featureLevel) };
  declare.gaugesBy(
    'understudy_build_info',
    'The build that runs: its version, the Node version, the feature level it understands; always 1',
    ['version', 'node', 'feature_level'],
    () => [[labels, 1]],
  );
}

/** What the HTTP server's limits did with connections. */
export interface ConnectionCounts {
  readonly open: number;
  readonly evicted: number;
  readonly refused: number;
}

/** Answers in EC2's place, by action. */
export function foreignAnswerMetrics(declare: ReadAtScrape, read: () => ReadonlyMap<string, number>): void {
  declare.totals('understudy_ec2_foreign_answers_total', "Answers that are not EC2's, by action", 'action', read);
}

/** Connections to our HTTP server. */
export function connectionMetrics(declare: ReadAtScrape, read: () => ConnectionCounts): void {
  declare.gauge('understudy_http_connections', 'Connections to our HTTP server that are open', () => read().open);
  declare.totals(
    'understudy_http_connections_closed_total',
    'Connections closed for http.connections or http.connectionsPerAddress, by how',
    'how',
    () => {
      const { evicted, refused } = read();
      return Object.entries({ evicted, refused });
    },
  );
}
