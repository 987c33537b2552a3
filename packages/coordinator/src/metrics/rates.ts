import type { ActionState } from '@understudy/aws';
import type { ReadAtScrape } from './read-at-scrape.ts';

/**
 * How the rates of EC2 and of the other services with limits are used, by action, of the actions
 * that were used. A bucket that several actions draw from stands there by its own name.
 */
export function rateMetrics(declare: ReadAtScrape, read: () => readonly ActionState[]): void {
  const by = (value: (state: ActionState) => number) => () =>
    read().map((state) => [state.action, value(state)] as const);
  declare.gauges(
    'understudy_ec2_rate_tokens',
    'Calls to EC2 and other limited services that could be sent at once, by action',
    'action',
    by((one) => one.tokens),
  );
  declare.gauges(
    'understudy_ec2_rate_waiting',
    'Calls that wait for their turn, by action',
    'action',
    by((one) => one.waiting),
  );
  declare.gauges(
    'understudy_ec2_rate_longest_wait_seconds',
    'Longest wait of the calls that wait now, chores left out, by action',
    'action',
    by((one) => one.longestWaitMs / 1_000),
  );
  declare.gauges(
    'understudy_ec2_rate_pace',
    'What is used of our share of the rate, 0 to 1, less after a throttle, by action',
    'action',
    by((one) => one.pace),
  );
  declare.totals(
    'understudy_ec2_throttled_total',
    'Calls that EC2 or another limited service has throttled, by action',
    'action',
    by((one) => one.throttled),
  );
}
