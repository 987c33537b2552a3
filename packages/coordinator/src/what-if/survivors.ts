import { DEFAULT_OBSERVER_SETTINGS, hearsTooFew } from '@understudy/observer';
import { unreachable, type WhatIfScenario, type WhatIfView } from '@understudy/shared';
import type { Assessment, MemberEvidence } from '../judge/evidence.ts';
import { assess } from '../judge/assess.ts';
import type { WhatIfSnapshot, WhatIfSubject } from './snapshot.ts';

/** An election after the lease of the lost leader has ended. */
const ELECTION_MS = 1_000;

type Coordinator = WhatIfSnapshot['coordinators'][number];

/** What is left of coordinators and members when the scenario has happened. */
export interface Survivors {
  readonly coordinators: readonly Coordinator[];
  readonly observers: WhatIfView['observers'];
  readonly leader: WhatIfView['leader'];
  readonly failed: readonly WhatIfSubject[];
  /** The zone that is lost. Null: none is. */
  readonly lostZone: string | null;
}

function isLost({ kind, name }: WhatIfScenario, one: Coordinator): boolean {
  if (kind === 'zone-lost') return one.az === name;
  return kind === 'coordinator' && one.coordinatorId === name;
}

function failedIn({ kind, name }: WhatIfScenario, { subjects }: WhatIfSnapshot): readonly WhatIfSubject[] {
  if (kind === 'zone-lost') return subjects.filter(({ evidence }) => evidence.az === name);
  if (kind === 'member') return subjects.filter(({ evidence }) => evidence.member === name);
  return kind === 'coordinator' ? [] : unreachable(kind);
}

/** Those who hear too few of their fleet do not trust their ears (S11), by their own rule. */
function abstentionOf(snapshot: WhatIfSnapshot, failed: readonly WhatIfSubject[]): string | null {
  const { fleet, calledLost } = snapshot;
  const gone = new Set(failed.map(({ evidence }) => evidence.member));
  const before = fleet.filter(({ heard }) => heard);
  const now = before.filter(({ member }) => !gone.has(member));
  const outsideOf = (list: typeof fleet) => list.filter(({ az }) => !calledLost.includes(az)).length;
  const all = { heardBefore: before.length, hearsNow: now.length };
  const outside = { heardBefore: outsideOf(before), hearsNow: outsideOf(now) };
  const contradicts = now.some(({ az }) => calledLost.includes(az));
  const isCalled = !contradicts && outside.heardBefore < all.heardBefore;
  if (!hearsTooFew(isCalled ? { ...all, outside } : all, DEFAULT_OBSERVER_SETTINGS)) return null;
  return `every observer would hear ${now.length} of ${before.length} members, less than half, and would not trust its own ears; guard.lostZones says that a zone is lost`;
}

function leaderAfter(snapshot: WhatIfSnapshot, left: readonly Coordinator[]): WhatIfView['leader'] {
  const { leaderId: now, leaseTtlMs } = snapshot;
  const isLeft = now !== null && left.some(({ coordinatorId }) => coordinatorId === now);
  const willing = left.filter(({ isDrained }) => !isDrained);
  const next = (willing.length > 0 ? willing : left).map(({ coordinatorId }) => coordinatorId);
  if (isLeft) return { now, isLost: false, next: [now], afterMs: 0 };
  return { now, isLost: true, next, afterMs: next.length === 0 ? null : leaseTtlMs + ELECTION_MS };
}

export function survivorsOf(snapshot: WhatIfSnapshot, scenario: WhatIfScenario): Survivors {
  const left = snapshot.coordinators.filter((one) => !isLost(scenario, one));
  const lost = snapshot.coordinators.filter((one) => isLost(scenario, one));
  const failed = failedIn(scenario, snapshot);
  const ids = (list: readonly Coordinator[]) => list.map(({ coordinatorId }) => coordinatorId);
  return {
    ...{ coordinators: left, failed, lostZone: scenario.kind === 'zone-lost' ? scenario.name : null },
    observers: { lost: ids(lost), left: ids(left), abstain: abstentionOf(snapshot, failed) },
    leader: leaderAfter(snapshot, left),
  };
}

/**
 * What would be judged of a member that nobody hears any more, by the judge's own function: all who
 * are left say `dead`, or nothing where they abstain, and EC2 says of it what it says now.
 */
export function judgedSilent(
  { evidence, guard }: WhatIfSubject,
  { coordinators, observers }: Pick<Survivors, 'coordinators' | 'observers'>,
  { nowMs }: WhatIfSnapshot,
): Assessment {
  const { instanceId, wallNowMs, cloud } = evidence;
  const said = observers.abstain === null ? 'dead' : 'unknown';
  const opinions: MemberEvidence['opinions'] = coordinators.map(({ coordinatorId, az }) => ({
    ...{
      observer: coordinatorId,
      az,
      instanceId,
      verdict: said,
      reason: said === 'dead' ? 'ProbesFailed' : 'HearsTooFew',
    },
    ...{ sinceWallMs: wallNowMs, lastHeardWallMs: wallNowMs },
  }));
  return assess(
    {
      ...evidence,
      observers: coordinators.map(({ coordinatorId, az, isDrained }) => ({ coordinatorId, az: isDrained ? null : az })),
      ...{ opinions, workload: null, serviceUnreachableSinceMs: null },
      // It is asked again at the failure, and says the same.
      cloud: cloud && { ...cloud, readAtMs: nowMs },
    },
    guard.policy,
    nowMs,
  );
}
