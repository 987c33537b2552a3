import { type WhatIfScenario, type WhatIfView } from '@understudy/shared';
import { judgedSilent, type Survivors, survivorsOf } from './survivors.ts';
import type { WhatIfSnapshot, WhatIfSubject } from './snapshot.ts';
import { type Timeline, TimelineRun } from './timeline.ts';

const SUPPOSES = [
  'it happens now, and all at once; nobody does anything',
  'EC2 answers, also about what is lost, and says of each instance what it says now; places have room',
  'each recovery goes as its plan is predicted, and its first way helps',
  'its calls that change something are made as it begins, with full buckets; reads are not counted',
  'etcd keeps its quorum: where its members run is not known here',
];

const NOT_KNOWN = ['capacity without a reservation', 'quotas of the account'];

/** Says that nothing has this name. Null: something has it. */
export function unknownIn(snapshot: WhatIfSnapshot, { kind, name }: WhatIfScenario): string | null {
  const { subjects, recovering, coordinators, fleet } = snapshot;
  if (kind === 'coordinator')
    return coordinators.some(({ coordinatorId }) => coordinatorId === name)
      ? null
      : `no coordinator ${name} is present`;
  const all = [...subjects.map(({ evidence }) => evidence), ...recovering];
  if (kind === 'member') return all.some(({ member }) => member === name) ? null : `no member ${name} is judged`;
  const zones = new Set([...all, ...coordinators, ...fleet].map(({ az }) => az));
  return zones.has(name) ? null : `nothing is in zone ${name}; known are ${[...zones].toSorted().join(', ')}`;
}

/** Says of each zone whether one more member that fails there would be called dead. */
function unwatchedIn(snapshot: WhatIfSnapshot, survivors: Survivors): WhatIfView['unwatched'] {
  const gone = new Set(survivors.failed.map(({ evidence }) => evidence.member));
  const others = snapshot.subjects.filter(({ evidence }) => !gone.has(evidence.member));
  const byZone = Map.groupBy(others, ({ evidence }) => evidence.az);
  return [...byZone].flatMap(([az, members]) => {
    const [first] = members as readonly WhatIfSubject[];
    const found = first && judgedSilent(first, survivors, snapshot);
    if (!found || found.quorum.met) return [];
    const { reasonCode, reason } = found;
    return [{ az, members: members.length, reason: reasonCode, text: reason }];
  });
}

function verdictOf(scenario: WhatIfScenario, survivors: Survivors, { members }: Pick<Timeline, 'members'>): string {
  const count = (outcome: string) => members.filter((one) => one.outcome === outcome).length;
  const back = Math.max(0, ...members.map(({ servesAfterMs }) => servesAfterMs ?? 0));
  const { leader, observers } = survivors;
  const parts = [
    `${members.length} members fail, ${count('recovered')} are recovered, ${count('held')} are held`,
    ...(count('stuck') > 0 ? [`${count('stuck')} recoveries cannot get through`] : []),
    ...(back > 0 ? [`the last one serves again ${Math.round(back / 1_000)} s after`] : []),
    leader.afterMs === null
      ? 'nobody can lead'
      : leader.isLost
        ? `one of ${leader.next.join(', ')} leads`
        : `${leader.now ?? ''} leads on`,
    ...(observers.abstain === null ? [] : ['nobody is judged']),
  ];
  return `${scenario.kind} ${scenario.name}: ${parts.join('; ')}`;
}

/** Members that are being recovered already go on with that. */
const recoveringOf = ({ kind, name }: WhatIfScenario, { recovering }: WhatIfSnapshot): WhatIfView['members'] =>
  recovering
    .filter(({ member, az }) => (kind === 'zone-lost' && az === name) || (kind === 'member' && member === name))
    .map(({ member, az }) => ({
      ...{ member, az, outcome: 'recovering', order: null, strategy: null, places: [], startsAfterMs: null },
      ...{ servesAfterMs: null, servesAfterSlowMs: null, rpoMs: null, waitedFor: [], rateWaitMs: 0 },
      ...{ reason: 'Recovering', text: 'it is being recovered already' },
    }));

/**
 * What would become of the cluster if this happened now: who is judged, asked about and recovered
 * when, by the judge's, the guard's and the planner's own functions. Reads the snapshot only, and
 * does nothing. One step a moment; the last one returns the answer.
 */
export function* whatIf(snapshot: WhatIfSnapshot, scenario: WhatIfScenario): Generator<void, WhatIfView, boolean> {
  const survivors = survivorsOf(snapshot, scenario);
  const { members, limits, truncated } = yield* new TimelineRun(snapshot, survivors).moments();
  const order = (one: WhatIfView['members'][number]) => one.order ?? Number.MAX_SAFE_INTEGER;
  const all = [...members, ...recoveringOf(scenario, snapshot)];
  return {
    scenario: { ...scenario },
    asOfWallMs: snapshot.nowWallMs,
    verdict: verdictOf(scenario, survivors, { members: all }),
    observers: survivors.observers,
    leader: survivors.leader,
    members: all.toSorted((a, b) => order(a) - order(b) || (a.member < b.member ? -1 : 1)),
    unwatched: unwatchedIn(snapshot, survivors),
    rates: limits.states(),
    ...{ supposes: [...SUPPOSES], notKnown: [...NOT_KNOWN], truncated },
  };
}

/** The whole answer at once. */
export function whatIfNow(snapshot: WhatIfSnapshot, scenario: WhatIfScenario): WhatIfView {
  const steps = whatIf(snapshot, scenario);
  for (;;) {
    const step = steps.next(false);
    if (step.done) return step.value;
  }
}
