import {
  type Blocker,
  type MemberReadiness,
  type ObjectiveMiss,
  READINESS_VERDICTS,
  type ReadinessFact,
  type ReadinessVerdict,
  type ReadinessView,
} from '@understudy/shared';
import type { MemberFacts, ReadinessSource } from './facts.ts';
import { missedObjectives } from './objectives.ts';
import { predicted } from './predicted.ts';
import { SOURCES } from './sources.ts';

/** Not told by EC2 before a launch, or not by anybody: no verdict rests on them. */
export const NOT_KNOWN: readonly string[] = [
  'capacity without a reservation',
  'quotas of the account',
  'the builds of agents',
];

interface Found {
  readonly facts: readonly ReadinessFact[];
  readonly blockers: readonly Blocker[];
  readonly missed: readonly ObjectiveMiss[];
  readonly isRecovering: boolean;
}

function verdictOf({ facts, blockers, missed, isRecovering }: Found): ReadinessVerdict {
  if (isRecovering) return 'recovering';
  if (blockers.some(({ stops }) => stops)) return 'blocked';
  const open = facts.filter(({ state }) => state !== 'known');
  if (open.some(({ fact }) => fact !== 'permissions')) return 'unknown';
  if (blockers.length > 0 || missed.length > 0) return 'at-risk';
  return open.length > 0 ? 'unproven' : 'ready';
}

/** What would become of a member if it failed now, from what is known of it. Pure. */
export function judgeReadiness(about: MemberFacts, sources: readonly ReadinessSource[] = SOURCES): MemberReadiness {
  const { member, instanceId, az, policy, plan, isRecovering, nowWallMs } = about;
  const told = sources.flatMap((source) => source.look(about) ?? []);
  const facts = told.map(({ fact }) => fact);
  const blockers = told.flatMap((one) => one.blockers);
  const times = predicted(plan, policy, nowWallMs);
  const missed = policy.objectives === undefined ? [] : missedObjectives(policy.objectives, times);
  return {
    ...{ member, instanceId, az, strategy: plan?.strategy ?? null, ...times },
    verdict: verdictOf({ facts, blockers, missed, isRecovering }),
    objectives: policy.objectives ?? null,
    missed: [...missed],
    blockers: [...blockers].sort((a, b) => Number(b.stops) - Number(a.stops)),
    facts,
    judgedAtWallMs: nowWallMs,
  };
}

const rank = ({ verdict }: MemberReadiness): number => READINESS_VERDICTS.indexOf(verdict);

/**
 * The worst first: by verdict, then what takes longest. A time that is not known is the longest.
 */
export function worstFirst(members: Iterable<MemberReadiness>): readonly MemberReadiness[] {
  const ms = ({ rtoMs }: MemberReadiness): number => rtoMs ?? Number.MAX_SAFE_INTEGER;
  return [...members].sort((a, b) => rank(a) - rank(b) || ms(b) - ms(a) || (a.member < b.member ? -1 : 1));
}

/** `ofFleet`: what would keep every recovery waiting for a while, told once. */
export function readinessView(
  members: Iterable<MemberReadiness>,
  ofFleet: ReadinessView['ofFleet'] = [],
): ReadinessView {
  const sorted = worstFirst(members);
  const counts = Object.fromEntries(READINESS_VERDICTS.map((verdict) => [verdict, 0]));
  for (const { verdict } of sorted) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return { members: [...sorted], counts, ofFleet, notKnown: [...NOT_KNOWN] };
}
