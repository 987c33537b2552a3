import type { LeadershipView } from '../store/leadership-view.ts';
import type { ReadAtScrape } from './read-at-scrape.ts';

/** Whether this coordinator leads, and for how long it may believe that. */
export function leadershipMetrics(declare: ReadAtScrape, leadership: Pick<LeadershipView, 'current'>): void {
  declare.flag('understudy_leader', 'Whether this coordinator leads (0 or 1)', () => leadership.current() !== null);
  declare.gauge(
    'understudy_term',
    'Term this coordinator leads in; 0 while it does not',
    () => leadership.current()?.number ?? 0,
  );
  declare.gauge(
    'understudy_term_remaining_seconds',
    'Time until our own leadership deadline; 0 while not leading',
    () => Math.max(0, leadership.current()?.remainingMs() ?? 0) / 1_000,
  );
}
