import type { Verdicts } from '../leader/verdicts.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { countBy, type ReadAtScrape, secondsOf } from './read-at-scrape.ts';

export interface MemberMetricsSources {
  readonly view: { readonly records: Pick<ClusterState['records'], 'holds' | 'history' | 'intents' | 'requests'> };
  readonly verdicts: Pick<Verdicts, 'counts' | 'standing'>;
  readonly runs: { readonly runningCount: number };
}

/** How the members fare, and what is done about it. */
export function memberMetrics(declare: ReadAtScrape, { view, verdicts, runs }: MemberMetricsSources): void {
  declare.gauges(
    'understudy_members',
    'Members by verdict, as the leader judges; absent while no leader does',
    'verdict',
    () => (verdicts.standing().standing === 'current' ? Object.entries(verdicts.counts()) : []),
  );
  declare.gauge('understudy_judgement_age_seconds', "Age of the leader's judgement as known here; -1 = none", () =>
    secondsOf(verdicts.standing().ageMs),
  );
  declare.gauge(
    'understudy_recoveries_open',
    'Recoveries that were begun and are not finished',
    () => view.records.intents.size,
  );
  declare.gauge('understudy_recoveries_running', 'Recoveries this process is working on', () => runs.runningCount);
  declare.gauge(
    'understudy_operator_requests_pending',
    'What operators asked for and nobody has carried out yet',
    () => view.records.requests.size,
  );
  declare.gauges('understudy_holds', 'Held members by reason', 'reason', () =>
    countBy([...view.records.holds.values()].map(({ record }) => record.reason)),
  );
  declare.gauges('understudy_leftovers', 'What ended recoveries still have to do, by kind', 'kind', () =>
    countBy(leftoversOf(view).map((one) => one.kind)),
  );
  declare.gauge(
    'understudy_leftovers_obstructed',
    'Of these, with something in the way',
    () => leftoversOf(view).filter((one) => one.isObstructed).length,
  );
}

interface Leftover {
  readonly kind: string;
  readonly isObstructed: boolean;
}

/** Everything on the books of ended recoveries, chores included. */
const leftoversOf = ({ records }: MemberMetricsSources['view']): readonly Leftover[] =>
  [...records.history.values()].flatMap((entries) =>
    [...entries.values()].flatMap(({ record: { leftovers, owed } }) => [
      ...leftovers.map(({ kind, obstacle }) => ({ kind, isObstructed: obstacle !== null })),
      ...owed.map(({ obstacle }) => ({ kind: 'chore', isObstructed: obstacle !== null })),
    ]),
  );
