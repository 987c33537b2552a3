import type { FleetMember, FleetView, HistoryRecord, OpenRecoveryView, StatusView } from '@understudy/shared/browser';

/** What tests of this folder start from. */
export const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);

export const member = (id: FleetMember['member'], over: Partial<FleetMember> = {}): FleetMember => ({
  ...{ member: id, instanceId: 'i-0a', az: 'eu-west-1a', verdict: 'alive', reasonCode: 'HeardRecently' },
  ...{ reason: 'heard', sinceWallMs: null, degraded: false, standing: 'current', hold: null, recovery: null },
  ...{ paused: null, opinions: ['alive', 'alive', 'alive'], readinessProblems: 0 },
  ...over,
});

export const hold = {
  reason: 'Cooldown' as const,
  text: 'its last recovery ended 1 min ago',
  sinceWallMs: NOW,
  untilWallMs: null,
};

export const viewOf = (members: FleetMember[], over: Partial<FleetView> = {}): FleetView => ({
  coordinatorId: 'c1',
  atWallMs: NOW,
  store: { fresh: true, lastContactAgoMs: 10 },
  judgement: { standing: 'current', by: 'c2', term: 7, ageMs: 0 },
  observers: ['c1', 'c2', 'c3'].map((coordinatorId, index) => ({
    ...{ coordinatorId, az: `eu-west-1${'abc'[index] ?? ''}`, leader: index === 1, self: index === 0 },
    ...{ answeredAgoMs: 100, abstains: null, problem: null },
  })),
  members,
  heard: { ageDs: [[], [], []], phiTenths: [[], [], []] },
  ...over,
});

export const statusOf = (over: Partial<StatusView> = {}): StatusView => ({
  ...{ coordinatorId: 'c1', az: 'eu-west-1a', version: '1', uptimeMs: 1, leader: { coordinatorId: 'c2', term: 7 } },
  ...{ isLeader: false, coordinators: [], featureLevels: { understood: 1, agreed: 1, inForce: 1 } },
  ...{ store: { fresh: true, lastContactAgoMs: 1 }, judgement: { standing: 'current', by: 'c2', term: 7, ageMs: 0 } },
  observer: {
    ...{ abstains: false, reason: null, heardAgents: 1, watchedAgents: 1 },
    opinions: { alive: 1, suspect: 0, dead: 0, unknown: 0, left: 0 },
  },
  counts: { alive: 1, suspect: 0, dead: 0, unknown: 0, left: 0, members: 1, recovering: 0, held: 0 },
  ...{ pauses: [], holds: [], recoveries: [], requests: [], problems: [] },
  ...over,
});

const stepAt = (step: string, startedAtWallMs: number, endedAtWallMs: number | null) => ({
  ...{ step, startedAtWallMs, endedAtWallMs },
  state: endedAtWallMs === null ? ('started' as const) : ('done' as const),
});

export const openOf = (over: Partial<OpenRecoveryView> = {}): OpenRecoveryView => ({
  ...{ opId: 'op-1', member: 'db/one', oldInstanceId: 'i-1', newInstanceId: null, reason: 'dead' },
  ...{ startedAtWallMs: NOW - 50_000, lastHeardWallMs: null, activity: null, captureProgressPercent: null, hold: null },
  steps: [stepAt('fence', NOW - 50_000, NOW - 10_000), stepAt('launch-2', NOW - 10_000, null)],
  ...over,
});

/** A recovery that took `tookMs`, its launch the last `launchMs` of that. */
export const pastOf = (
  id: HistoryRecord['member'],
  tookMs: number,
  launchMs: number,
  over: Partial<HistoryRecord> = {},
): HistoryRecord => ({
  ...{ schemaVersion: 1, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 1, opId: 'op-0', member: id },
  ...{ outcome: 'replaced', reason: 'dead', oldInstanceId: 'i-0', ordinal: 0, oldAz: 'eu-west-1a' },
  ...{ oldLaunchedAtWallMs: null, newInstanceId: 'i-1', newIncarnation: 2, startedAtWallMs: 0, endedAtWallMs: tookMs },
  ...{ lastHeardWallMs: null, leaderChanges: 0, fencedBy: 'stopped', launchAttempts: 1, leftovers: [], owed: [] },
  steps: [stepAt('fence', 0, tookMs - launchMs), stepAt('launch-1', tookMs - launchMs, tookMs)],
  ...over,
});
