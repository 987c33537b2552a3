import type { LeadershipView } from '../store/leadership-view.ts';
import type { PreparationCounts } from '../leader/preparation.ts';
import type { Makings } from '../leader/preparation-keeper.ts';
import type { ReadAtScrape } from './read-at-scrape.ts';

/** What people have asked this coordinator for while it led. */
export function commandMetrics(declare: ReadAtScrape, read: () => ReadonlyMap<string, number>): void {
  const help = 'Commands of people that came to this coordinator as leader, by outcome (done, repeated, or why not)';
  declare.totals('understudy_commands_total', help, 'outcome', read);
}

/** What became of what was begun for suspects. */
export function preparationMetrics(declare: ReadAtScrape, read: () => PreparationCounts): void {
  const help = 'Preparations for suspects, by outcome: used by a plan, dropped, or failed to read';
  declare.totals('understudy_preparations_total', help, 'outcome', () => Object.entries(read()));
}

/** What became of what was made at EC2 for suspects. */
export function makingMetrics(declare: ReadAtScrape, read: () => Makings): void {
  const help = 'Preparations at EC2 for suspects, by outcome: begun, taken over, dropped, or limited by the policy';
  declare.totals('understudy_prepared_total', help, 'outcome', () => Object.entries(read().counts));
  const open = 'Preparations at EC2 that a recovery may take over';
  declare.gauge('understudy_prepared_open', open, () => read().present.open);
  const spent =
    'The most that preparations begun in the last 24 h can cost, in the currency of the prices in the policy';
  declare.gauges('understudy_prepared_spent', spent, 'group', () => read().spent);
  const dropped = 'Preparations that were dropped, and of which something may still be at EC2';
  declare.gauge('understudy_prepared_dropped', dropped, () => read().present.dropped);
}

/** Whether this coordinator leads, and for how long it may believe that. */
export function leadershipMetrics(declare: ReadAtScrape, leadership: Pick<LeadershipView, 'current'>): void {
  declare.flag('understudy_leader', 'Whether this coordinator leads (0 or 1)', () => leadership.current() !== null);
  declare.gauge(
    'understudy_term',
    'Term this coordinator leads in; absent while it does not lead',
    () => leadership.current()?.number ?? null,
  );
  declare.gauge(
    'understudy_term_remaining_seconds',
    'Time until our own leadership deadline; absent while not leading',
    () => {
      const term = leadership.current();
      return term === null ? null : Math.max(0, term.remainingMs()) / 1_000;
    },
  );
}
