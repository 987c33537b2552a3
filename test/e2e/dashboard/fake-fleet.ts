import type {
  ExplainView,
  FleetDelta,
  FleetMember,
  FleetView,
  HistoryRecord,
  PausesView,
  PlanView,
  UndoPreviewView,
  StatusView,
} from '@understudy/shared';
import { historyRecord } from '@understudy/shared/testing';

/**
 * A fleet as the API shows it, without a cluster behind: for how the page looks, and how fast it
 * is.
 */

const ZONES = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'] as const;
const STANDING = { standing: 'current', by: 'coordinator-b', term: 8141, ageMs: 120 } as const;

export const OBSERVERS: FleetView['observers'] = ZONES.map((az, index) => ({
  coordinatorId: `coordinator-${'abc'[index] ?? ''}`,
  az,
  leader: index === 1,
  self: index === 0,
  answeredAgoMs: index === 0 ? 0 : 300,
  abstains: null,
  problem: null,
}));

export const member = (group: string, name: string, over: Partial<FleetMember> = {}): FleetMember => ({
  member: `${group}/${name}`,
  instanceId: `i-0${Buffer.from(`${group}${name}`).toString('hex').padEnd(16, '0').slice(0, 16)}`,
  az: ZONES[name.length % 3] ?? '',
  verdict: 'alive',
  reasonCode: 'HeardRecently',
  reason: 'heard by 3 of 3 observers',
  sinceWallMs: null,
  degraded: false,
  standing: 'current',
  hold: null,
  recovery: null,
  paused: null,
  opinions: ['alive', 'alive', 'alive'],
  readinessProblems: 0,
  ...over,
});

/** Ages and φ of a heartbeat each second, other ones in each turn. */
export function heardOf(members: readonly FleetMember[], turn: number): FleetView['heard'] {
  const ageOf = (one: FleetMember, index: number, observer: number): number =>
    one.verdict === 'alive' ? (index * 7 + observer * 3 + turn * 5) % 11 : 48 + turn * 10;
  return {
    ageDs: OBSERVERS.map((_, observer) => members.map((one, index) => ageOf(one, index, observer))),
    phiTenths: OBSERVERS.map((_, observer) =>
      members.map((one, index) => (one.verdict === 'alive' ? ageOf(one, index, observer) : 80)),
    ),
  };
}

export const head = (nowMs: number) => ({
  coordinatorId: 'coordinator-a',
  atWallMs: nowMs,
  store: { fresh: true, lastContactAgoMs: 40 },
  judgement: { ...STANDING },
  observers: [...OBSERVERS],
});

export const view = (members: readonly FleetMember[], nowMs: number): FleetView => ({
  ...head(nowMs),
  members: [...members],
  heard: heardOf(members, 0),
});

export const delta = (
  members: readonly FleetMember[],
  turn: number,
  nowMs: number,
  changed: FleetDelta['changed'],
) => ({
  ...head(nowMs),
  changed,
  heard: heardOf(members, turn),
});

/** A thousand members that are well, in eight groups, each with something to render differently. */
export const thousand = (): readonly FleetMember[] =>
  Array.from({ length: 1_000 }, (_, index) => member(`group-${index % 8}`, `m${String(index).padStart(4, '0')}`)).sort(
    (one, other) => (one.member < other.member ? -1 : 1),
  );

/** Text from elsewhere that would be more than text if anybody believed it. */
export const HOSTILE =
  '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>\u202egnp.exe';

/** One of everything that the page has a look for. */
export const incident = (nowMs: number): readonly FleetMember[] => [
  member('broker', 'one'),
  member('broker', 'two', { degraded: true, reason: 'its storage check fails' }),
  member('db', 'primary', {
    verdict: 'dead',
    recovery: 'op-17f3a9c2d4e5b601',
    sinceWallMs: nowMs - 60_000,
    opinions: ['dead', 'dead', 'dead'],
  }),
  member('db', 'replica-1', {
    verdict: 'suspect',
    sinceWallMs: nowMs - 2_000,
    opinions: ['suspect', 'alive', 'suspect'],
  }),
  member('db', 'replica-2', {
    verdict: 'dead',
    sinceWallMs: nowMs - 400_000,
    opinions: ['dead', 'dead', null],
    hold: {
      reason: 'NotReady',
      text: `the instance profile of db/replica-2 is gone ${HOSTILE}`,
      sinceWallMs: nowMs - 380_000,
      untilWallMs: null,
    },
  }),
  member('licence', 'server', { paused: 'group/licence' }),
  member('licence', 'spare', { paused: 'group/licence', readinessProblems: 2 }),
  member('web', 'cache', { verdict: 'unknown', reason: 'never heard', opinions: [null, null, null] }),
];

const step = (name: string, from: number, to: number | null, nowMs: number) => ({
  step: name,
  state: to === null ? ('started' as const) : ('done' as const),
  startedAtWallMs: nowMs - from,
  endedAtWallMs: to === null ? null : nowMs - to,
});

const RUNGS: NonNullable<ExplainView['rungs']> = [
  { rung: 'reboot', said: 'skipped', why: 'nothing of it answers', deadlineMs: 300_000 },
  { rung: 'stop-start', said: 'tried', why: `it was tried and not back ${HOSTILE}`, deadlineMs: 300_000 },
  { rung: 'reattach', said: 'skipped', why: 'its zone has no room for another one', deadlineMs: 120_000 },
  { rung: 'snapshot-and-replace', said: 'taken', why: 'another instance from copies of its disks', deadlineMs: null },
];

const openRecovery = (nowMs: number): StatusView['recoveries'][number] => ({
  opId: 'op-17f3a9c2d4e5b601',
  member: 'db/primary',
  oldInstanceId: 'i-0ab12cd34ef56ab78',
  newInstanceId: 'i-0c9d8e7f6a5b4c3d2',
  reason: 'dead: 3 of 3 observers have not heard it for 9.2 s, and EC2 says impaired',
  startedAtWallMs: nowMs - 95_000,
  lastHeardWallMs: nowMs - 104_000,
  strategy: 'snapshot-and-replace',
  rungs: RUNGS,
  steps: [
    step('fence', 95_000, 53_000, nowMs),
    step('capture', 53_000, 22_000, nowMs),
    step('image', 53_000, 20_000, nowMs),
    step('permit-1', 20_000, 19_000, nowMs),
    { ...step('launch-1', 19_000, 4_000, nowMs) },
    { ...step('verify-1', 4_000, null, nowMs), text: 'waits for heartbeats of i-0c9d8e7f6a5b4c3d2 that pass for 30 s' },
  ],
  activity: 'verifies i-0c9d8e7f6a5b4c3d2: running, no heartbeat yet',
  captureProgressPercent: null,
  hold: null,
});

const NONE = { alive: 0, suspect: 0, dead: 0, unknown: 0, left: 0 };

export const status = (members: readonly FleetMember[], nowMs: number): StatusView => ({
  coordinatorId: 'coordinator-a',
  az: ZONES[0],
  version: '0.1.0',
  uptimeMs: 7_384_000,
  leader: { coordinatorId: 'coordinator-b', term: 8141 },
  isLeader: false,
  coordinators: OBSERVERS.map(({ coordinatorId, az, leader }) => ({
    ...{ coordinatorId, az, leader, version: '0.1.0', featureLevel: 3 },
    httpUrl: `https://${coordinatorId}.example.internal:8443`,
  })),
  featureLevels: { understood: 3, agreed: 3, inForce: 3 },
  store: { fresh: true, lastContactAgoMs: 40 },
  observer: {
    abstains: false,
    reason: null,
    heardAgents: members.length,
    watchedAgents: members.length,
    opinions: NONE,
  },
  judgement: { ...STANDING },
  counts: { ...NONE, alive: members.length, members: members.length, recovering: 0, held: 0 },
  pauses: members.some(({ paused }) => paused)
    ? [{ scope: 'group/licence', who: 'ann', why: 'kernel upgrade', untilWallMs: nowMs + 1_500_000, members: 2 }]
    : [],
  holds: members.flatMap(({ member: id, hold }) =>
    hold ? [{ member: id, ...hold, reason: 'NotReady' as const }] : [],
  ),
  recoveries: members.some(({ recovery }) => recovery) ? [openRecovery(nowMs)] : [],
  requests: [],
  problems: members.some(({ recovery }) => recovery)
    ? [
        {
          code: 'MEMBERS_NOT_READY',
          text: '2 members could not be replaced now: db/replica-2, licence/spare',
          remedy: 'run `understudy explain MEMBER`: each of its readiness problems says what to do',
        },
      ]
    : [],
});

export const pastOf = (nowMs: number): readonly HistoryRecord[] =>
  ['db/primary', 'broker/one', 'db/replica-1', 'web/cache'].map((id, index) => {
    const startedAtWallMs = nowMs - (index + 1) * 86_400_000;
    const [group = '', name = ''] = id.split('/');
    const at = startedAtWallMs + 132_000;
    return historyRecord(`${group}/${name}`, `i-0${index}ld`, {
      opId: `op-${index}a7c90b2e41d6f58`,
      reason: 'dead: 3 of 3 observers have not heard it for 9.1 s',
      startedAtWallMs,
      endedAtWallMs: at,
      newInstanceId: `i-0${index}new`,
      outcome: index === 1 ? 'abandoned' : 'replaced',
      steps: [
        step('fence', 132_000, 90_000, at),
        step('capture', 90_000, 59_000, at),
        step('image', 90_000, 57_000, at),
        step('permit-1', 57_000, 56_000, at),
        step('launch-1', 56_000, 40_000, at),
        step('verify-1', 40_000, 6_000, at),
        step('activate', 6_000, 5_000, at),
        step('done', 5_000, 0, at),
      ],
    });
  });

export const explained = (one: FleetMember, nowMs: number): ExplainView => ({
  member: one.member,
  instanceId: one.instanceId,
  incarnation: 3,
  az: one.az,
  atWallMs: nowMs,
  answeredBy: { coordinatorId: 'coordinator-b', leader: true, term: 8141 },
  unknownHere: [],
  ...{ verdict: one.verdict, reasonCode: one.reasonCode, reason: one.reason, degraded: one.degraded },
  judged: { ...STANDING, verdict: one.verdict, sinceWallMs: one.sinceWallMs },
  ownView: null,
  readinessProblems: one.hold ? [{ code: 'PROFILE_MISSING', text: one.hold.text }] : [],
  decision: one.hold
    ? { kind: 'hold', reason: 'NotReady', text: one.hold.text, untilWallMs: null }
    : one.recovery
      ? { kind: 'recovering', reason: null, text: `Recovery ${one.recovery} is open`, untilWallMs: null }
      : { kind: 'none', reason: null, text: 'It is alive: nothing is to be done.', untilWallMs: null },
  evidence: [
    { source: 'observer coordinator-a', text: 'heard 0.4 s ago', ageMs: 400, freshForMs: 10_000, weight: 'veto' },
    {
      source: 'observer coordinator-b',
      text: 'silent for 9.2 s, probes failed',
      ageMs: 200,
      freshForMs: 10_000,
      weight: 'for-dead',
    },
    { source: 'ec2 state', text: 'running', ageMs: 4_200, freshForMs: 30_000, weight: 'neutral' },
    {
      source: 'ec2 status checks',
      text: 'instance check impaired',
      ageMs: 94_200,
      freshForMs: 30_000,
      weight: 'for-dead',
    },
  ],
  gates: [
    { gate: 'Paused', passes: true, value: 'no pause', limit: 'none', untilWallMs: null },
    {
      gate: 'NotReady',
      passes: one.hold === null,
      value: one.hold?.text ?? 'ready',
      limit: 'no problem',
      untilWallMs: null,
    },
    { gate: 'Cooldown', passes: true, value: 'last ended 1 d ago', limit: '10 min', untilWallMs: null },
    { gate: 'BudgetExhausted', passes: true, value: '2 left', limit: '1 per minute, burst 2', untilWallMs: null },
  ],
  wouldFlip: ['suspect when no observer has heard it for 5 s', 'dead 3 s later, when its probes go unanswered'],
  lookAgainInMs: 4_600,
  hold: one.hold && { ...one.hold, reason: 'NotReady' },
  recovery: one.recovery,
  ...(one.recovery && { rungs: RUNGS }),
  openRecovery: one.recovery ? openRecovery(nowMs) : null,
  console: one.recovery
    ? {
        instanceId: 'i-0ab12cd34ef56ab78',
        capturedAtWallMs: nowMs - 90_000,
        text: `[ 12.1] EXT4-fs error\n[ 12.4] ${HOSTILE}`,
      }
    : null,
  changes: [
    {
      atWallMs: nowMs - 60_000,
      by: 'leader coordinator-b',
      instanceId: one.instanceId,
      verdict: one.verdict,
      reasonCode: 'x',
      reason: one.reason,
    },
  ],
});

/** As the pause in {@link status}. */
export const pauses = (nowMs: number): PausesView => ({
  coordinatorId: 'coordinator-b',
  revision: 812,
  pauses: [
    {
      ...{
        scope: 'group/licence',
        who: 'ann',
        why: 'kernel upgrade',
        sinceWallMs: nowMs,
        untilWallMs: nowMs + 1_500_000,
      },
      ...{ revision: 807, members: 2 },
    },
  ],
});

/** The plan for the member whose path this is. */
export const plan = (path: string): PlanView => ({
  member: path.replace(/^\/v1\/members\/|\/plan(?:\?.*)?$/g, ''),
  ...{
    opId: 'op-1',
    instanceId: 'i-1',
    verdict: 'alive',
    reason: 'It is alive: nothing is to be done.',
    wouldBegin: false,
  },
  ...{ gates: [], token: '8141-7f3a', losses: [], problems: [], expectedMs: 132_000 },
  lines: [{ sign: '~', text: 'i-0ab → new in eu-west-1b, vol-1 by snapshot' }],
  strategy: { name: 'snapshot-and-replace', why: 'the policy of the group names it' },
  supposes: { kind: 'silent', text: 'as if it fell silent now, with what EC2 says of it now' },
  rungs: [
    {
      ...{ rung: 'reboot', said: 'skipped', why: 'nothing of it answers', deadlineMs: 300_000 },
      ...{ proof: 'heartbeats of a later boot', next: null },
    },
    {
      ...{ rung: 'snapshot-and-replace', said: 'taken', why: 'it works wherever EC2 does', deadlineMs: null },
      ...{ proof: 'another instance is heard, checked and activated', next: null },
    },
  ],
  volumes: [{ volumeId: 'vol-1', deviceName: '/dev/xvda', path: 'snapshot', why: '' }],
  candidates: [{ instanceType: 'm7i.large', az: 'eu-west-1b', subnetId: 'subnet-b' }],
  notices: [{ code: 'PermissionMissing', text: 'EC2 would deny AssociateAddress' }],
  forecast: {
    ...{ servesAfter: { typicalMs: 132_000, slowMs: 900_000 }, closedAfter: { typicalMs: 135_000, slowMs: 910_000 } },
    ...{ losesSinceWallMs: null, undo: 'undo is possible for 24 h after the end' },
  },
  steps: [
    {
      ...{ id: 'fence', needs: [], onFailure: false, takes: { typicalMs: 12_000, slowMs: 60_000 }, basis: 'published' },
      calls: [
        {
          ...{ action: 'StopInstances', parameters: { InstanceIds: ['i-1'], Force: true }, when: null },
          permission: { word: 'allowed', text: '', askedAtWallMs: 1 },
        },
      ],
    },
    {
      ...{ id: 'launch-1', needs: ['fence'], onFailure: false, takes: null, basis: null },
      calls: [
        {
          ...{ action: 'RunInstances', parameters: { UserData: '<not shown: 120 characters>' }, when: null },
          permission: { word: 'denied', text: 'no', askedAtWallMs: 1 },
        },
      ],
    },
  ],
});

/**
 * What an undo of this member's last recovery would do. That of the cache is refused, whatever
 * is accepted.
 */
export const undo = (path: string, nowMs: number): UndoPreviewView => {
  const member = path.replace(/^\/v1\/members\/|\/undo$/g, '');
  const isRefused = member === 'web/cache';
  return {
    ...{ member, opId: 'op-9f', wouldBegin: !isRefused, losses: [], steps: [], forecast: null },
    code: isRefused ? 'DisksMoved' : '',
    text: isRefused ? `vol-1 moved to its successor ${HOSTILE}` : '',
    undoes: isRefused
      ? null
      : {
          ...{ opId: 'op-1a', presentInstanceId: 'i-0new', retainedInstanceId: 'i-0old' },
          ...{ servedSinceWallMs: nowMs - 1_200_000, lostMs: 1_200_000, untilWallMs: nowMs + 3_600_000 },
        },
    ...(!isRefused && {
      losses: [{ code: 'WritesSinceActivationLost', text: 'all that i-0new has written since 20 minutes ago' }],
    }),
  };
};
