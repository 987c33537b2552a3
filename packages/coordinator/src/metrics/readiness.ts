import { type MemberId, type MemberReadiness, READINESS_VERDICTS } from '@understudy/shared';
import { countByGroup, groupLabel } from './group-label.ts';
import type { ReadAtScrape } from './read-at-scrape.ts';

export interface ReadinessMetricsSources {
  /** What would become of each member if it failed now. Null: another coordinator leads. */
  readonly readiness: () => Iterable<MemberReadiness> | null;
}

type Labelled = readonly (readonly [group: string, one: MemberReadiness])[];

/** The worst of each group, in seconds. What is not known of a member is in no maximum. */
function worstByGroup(members: Labelled, msOf: (one: MemberReadiness) => number | null): ReadonlyMap<string, number> {
  const worst = new Map<string, number>();
  for (const [group, one] of members) {
    const ms = msOf(one);
    if (ms !== null) worst.set(group, Math.max(worst.get(group) ?? 0, ms / 1_000));
  }
  return worst;
}

/** Each verdict is shown for each group, also where nobody has it: an alert compares with 0. */
function verdictsByGroup(members: Labelled) {
  const groups = [...new Set(members.map(([group]) => group))];
  const none = groups.flatMap((group) => READINESS_VERDICTS.map((verdict) => ({ group, verdict })));
  return none.map(
    ({ group, verdict }) =>
      [{ group, verdict }, members.filter(([name, one]) => name === group && one.verdict === verdict).length] as const,
  );
}

/**
 * What would become of the members, by group; absent while another coordinator leads. Labels are
 * bounded: groups as everywhere, and few verdicts, kinds and objectives.
 */
export function readinessMetrics(declare: ReadAtScrape, { readiness }: ReadinessMetricsSources): void {
  const labelled = (): Labelled => {
    const all = [...(readiness() ?? [])].map((one) => [one.member as MemberId, one] as const);
    const label = groupLabel(all.map(([member]) => member));
    return all.map(([member, one]) => [label(member), one] as const);
  };
  declare.gaugesBy('understudy_readiness_members', 'Members by group and readiness', ['group', 'verdict'], () =>
    verdictsByGroup(labelled()),
  );
  declare.gauges(
    'understudy_readiness_rto_seconds',
    'Longest predicted time out of service in each group, from the failure, on a bad day',
    'group',
    () => worstByGroup(labelled(), ({ rtoMs }) => rtoMs),
  );
  declare.gauges(
    'understudy_readiness_rpo_seconds',
    'Of how long a time what was written would be lost at most in each group, while disks can be read',
    'group',
    () => worstByGroup(labelled(), ({ rpoMs }) => rpoMs),
  );
  declare.gauges(
    'understudy_readiness_rpo_disks_lost_seconds',
    'The same where the disks are lost with the member; members without a complete snapshot are not in it',
    'group',
    () => worstByGroup(labelled(), ({ rpoDisksLostMs }) => rpoDisksLostMs),
  );
  declare.gaugesBy('understudy_readiness_blockers', 'What is in the way, by group and kind', ['group', 'kind'], () =>
    countByGroup(
      'kind',
      labelled().flatMap(([group, { blockers }]) => blockers.map(({ kind }) => [group, kind] as const)),
    ),
  );
  declare.gaugesBy(
    'understudy_readiness_objectives_missed',
    'Members that are predicted to miss an objective of their group, by objective',
    ['group', 'objective'],
    () =>
      countByGroup(
        'objective',
        labelled().flatMap(([group, { missed }]) => missed.map(({ objective }) => [group, objective] as const)),
      ),
  );
}
