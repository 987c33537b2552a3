import type { ReadAtScrape } from './read-at-scrape.ts';

export interface EnrolmentMetricsSources {
  /** Requests of agents for their key, by outcome. */
  readonly enrolments: () => ReadonlyMap<string, number>;
}

/** Agents that asked for their key by identity while this process led. */
export function enrolmentMetrics(declare: ReadAtScrape, { enrolments }: EnrolmentMetricsSources): void {
  declare.totals(
    'understudy_key_enrolments_total',
    'Requests of agents for their key by identity, by outcome (given, repeated, unavailable, or why it was refused)',
    'outcome',
    enrolments,
  );
}
