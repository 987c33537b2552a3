import { DEFAULT_POLICY, type MemberId, monotonicMs, wallMs } from '@understudy/shared';
import type { MemberEvidence, ObserverOpinion } from './evidence.ts';
import type { GuardInput } from './guard-input.ts';

export const NOW = monotonicMs(1_000_000);
export const WALL = 1_767_225_600_000;
export const ZONES: Readonly<Record<string, string>> = { c1: 'us-east-1a', c2: 'us-east-1b', c3: 'us-east-1c' };

export const opinion = (
  observer: string,
  verdict: ObserverOpinion['verdict'],
  reason: string,
  change: Partial<ObserverOpinion> = {},
): ObserverOpinion => ({
  observer,
  az: ZONES[observer] ?? 'us-east-1a',
  instanceId: 'i-old',
  verdict,
  reason,
  sinceWallMs: WALL - 3_000,
  lastHeardWallMs: WALL - 8_100,
  ...change,
});

/**
 * Member in us-east-1a, silent at three observers in three AZs, running as EC2 said a second ago:
 * dead.
 */
export const silentEverywhere = (change: Partial<MemberEvidence> = {}): MemberEvidence => ({
  member: 'db/a',
  instanceId: 'i-old',
  az: 'us-east-1a',
  wallNowMs: wallMs(WALL),
  observers: ['c1', 'c2', 'c3'].map((coordinatorId) => ({ coordinatorId, az: ZONES[coordinatorId] ?? '' })),
  opinions: ['c1', 'c2', 'c3'].map((observer) => opinion(observer, 'dead', 'ProbesFailed')),
  requirement: { minimumObservers: 2, minimumZones: 2 },
  cloud: {
    readAtMs: monotonicMs(NOW - 1_000),
    instance: { state: 'running', stateReasonCode: null, stateReasonText: null, launchedAtWallMs: WALL - 86_400_000 },
  },
  cloudStatus: null,
  workload: null,
  ...change,
});

export const guardInput = (change: Partial<GuardInput> = {}): GuardInput => ({
  member: 'db/a',
  group: 'db',
  az: 'us-east-1a',
  wallNowMs: wallMs(WALL),
  policy: DEFAULT_POLICY,
  limits: {
    massMinimum: 3,
    massRatio: 0.2,
    zoneMinimum: 3,
    zoneRatio: 0.5,
    massWindowMs: 120_000,
    budgetPerMinute: 1,
    budgetBurst: 2,
  },
  pauses: [],
  objections: [],
  ownTrouble: null,
  quorum: { met: true, text: '3 observers in 3 zones', limit: 'at least 2 in 2 zones' },
  protectedByTag: false,
  launchedAtWallMs: WALL - 86_400_000,
  fleet: fleet(10, 1),
  recoveries: [],
  ...change,
});

/** `db/a` and others, the first `failed` of them silent for 3 s; AZs a, b, c in turn. */
export function fleet(count: number, failed: number, silentForMs = 3_000): GuardInput['fleet'] {
  return Array.from({ length: count }, (_, i) => ({
    member: (i === 0 ? 'db/a' : `db/m${i}`) as MemberId,
    az: `us-east-1${'abc'[i % 3] ?? 'a'}`,
    failedSinceWallMs: i < failed ? WALL - silentForMs : null,
    heard: i >= failed,
  }));
}
