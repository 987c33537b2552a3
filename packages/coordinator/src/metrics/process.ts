import type { ReadAtScrape } from './read-at-scrape.ts';

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
