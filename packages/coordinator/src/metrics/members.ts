import { type MemberId, type Problem, type StatusView, type WallMs } from '@understudy/shared';
import type { Verdicts } from '../leader/verdicts.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import { countByGroup, groupLabel } from './group-label.ts';
import { countBy, type ReadAtScrape, secondsOf } from './read-at-scrape.ts';

type Records = Pick<ClusterState['records'], 'members' | 'holds' | 'history' | 'intents' | 'requests'>;

export interface MemberMetricsSources {
  readonly view: { readonly records: Records } & Pick<ClusterState, 'pausesOf' | 'pausesInForce'>;
  readonly verdicts: Pick<Verdicts, 'of' | 'standing'>;
  readonly runs: { readonly runningCount: number };
  /** What `status` shows as problems. */
  readonly problems: () => readonly Problem[];
  readonly wallMs: () => WallMs;
}

/** How the members fare, and what is done about it. */
export function memberMetrics(declare: ReadAtScrape, sources: MemberMetricsSources): void {
  const { view, verdicts, runs, problems } = sources;
  const groupFor = () => groupLabel(new Set([...view.records.members.keys(), ...view.records.holds.keys()]));
  declare.gaugesBy(
    'understudy_members',
    'Members by group and verdict, as the leader judges; absent while no leader does',
    ['group', 'verdict'],
    () => (verdicts.standing().standing === 'current' ? verdictsByGroup(sources, groupFor()) : []),
  );
  declare.gauge(
    'understudy_judgement_age_seconds',
    "Age of the leader's judgement as known here; absent while there is none",
    () => secondsOf(verdicts.standing().ageMs),
  );
  declare.gaugesBy('understudy_holds', 'Held members by group and reason', ['group', 'reason'], () => {
    const group = groupFor();
    return countByGroup(
      'reason',
      [...view.records.holds].map(([member, { record }]) => [group(member), record.reason] as const),
    );
  });
  declare.gauge(
    'understudy_operator_requests_pending',
    'What operators asked for and nobody has carried out yet',
    () => view.records.requests.size,
  );
  declare.gauges('understudy_problems', 'Problems that status shows, by code', 'code', () =>
    countBy(problems().map(({ code }) => code)),
  );
  recoveryMetrics(declare, view, runs, groupFor);
  pauseMetrics(declare, sources, groupFor);
}

const VERDICTS: readonly (keyof StatusView['observer']['opinions'])[] = ['alive', 'suspect', 'dead', 'unknown', 'left'];

/** Each verdict is shown for each group, also where nobody has it: an alert compares with 0. */
function verdictsByGroup({ view, verdicts }: MemberMetricsSources, group: (member: MemberId) => string) {
  const members = [...view.records.members.keys()];
  const counts = new Map<string, Map<string, number>>();
  for (const member of members) {
    const name = group(member);
    const ofGroup = counts.get(name) ?? new Map<string, number>(VERDICTS.map((verdict) => [verdict, 0]));
    const { verdict } = verdicts.of(member);
    counts.set(name, ofGroup.set(verdict, (ofGroup.get(verdict) ?? 0) + 1));
  }
  return [...counts].flatMap(([name, ofGroup]) =>
    [...ofGroup].map(([verdict, count]) => [{ group: name, verdict }, count] as const),
  );
}

function recoveryMetrics(
  declare: ReadAtScrape,
  view: MemberMetricsSources['view'],
  runs: MemberMetricsSources['runs'],
  groupFor: () => (member: MemberId) => string,
): void {
  declare.gauges('understudy_recoveries_open', 'Recoveries that were begun and are not finished', 'group', () => {
    const group = groupFor();
    const { records } = view;
    const none = [...records.members.keys()].map((member) => [group(member), 0] as const);
    return new Map([...none, ...countBy([...records.intents.keys()].map(group))]);
  });
  declare.gauge('understudy_recoveries_running', 'Recoveries this process is working on', () => runs.runningCount);
  declare.gauges('understudy_leftovers', 'What ended recoveries still have to do, by kind', 'kind', () =>
    countBy(leftoversOf(view.records).map((one) => one.kind)),
  );
  declare.gauge(
    'understudy_leftovers_obstructed',
    'Of these, with something in the way',
    () => leftoversOf(view.records).filter((one) => one.isObstructed).length,
  );
}

/** A pause is easily forgotten: an alert asks for the oldest one, and whom it holds. */
function pauseMetrics(
  declare: ReadAtScrape,
  { view, wallMs }: MemberMetricsSources,
  groupFor: () => (member: MemberId) => string,
): void {
  declare.flag('understudy_paused', 'Whether a pause of everything is in force (0 or 1)', () =>
    view.pausesInForce(wallMs()).some(({ scope }) => scope === 'global'),
  );
  declare.gauges('understudy_members_paused', 'Members that a pause in force holds, by group', 'group', () => {
    const nowWallMs = wallMs();
    const group = groupFor();
    const counts = new Map<string, number>();
    for (const member of view.records.members.keys()) {
      const isPaused = view.pausesOf(member, nowWallMs).length > 0;
      counts.set(group(member), (counts.get(group(member)) ?? 0) + (isPaused ? 1 : 0));
    }
    return counts;
  });
}

interface Leftover {
  readonly kind: string;
  readonly isObstructed: boolean;
}

/** Everything on the books of ended recoveries, chores included. */
const leftoversOf = ({ history }: Pick<Records, 'history'>): readonly Leftover[] =>
  [...history.values()].flatMap((entries) =>
    [...entries.values()].flatMap(({ record: { leftovers, owed } }) => [
      ...leftovers.map(({ kind, obstacle }) => ({ kind, isObstructed: obstacle !== null })),
      ...owed.map(({ obstacle }) => ({ kind: 'chore', isObstructed: obstacle !== null })),
    ]),
  );
