import type { ActivationRecord, HoldRecord, MemberRecord, OpinionRecord } from '../records/cluster.ts';
import { DEFAULT_POLICY } from '../policy.ts';
import type { HistoryRecord, IntentRecord } from '../records/recovery.ts';
import type { KvEntry } from '../ports/kv-store.ts';
import type { MemberId } from '../member-id.ts';
import type { OperatorRequestRecord } from '../records/operator-request.ts';
import { opIdOf } from '../protocol/identity.ts';
import { serializeRecord } from '../records/record.ts';

/** Records with plausible content, for the tests of this folder. */
export const WRITTEN = { schemaVersion: 1 as const, writeId: 'w1', writtenBy: 'c1', writtenAtWallMs: 1_000 };

const partsOf = (member: MemberId) => {
  const [group = '', name = ''] = member.split('/');
  return { group, name };
};

export const memberRecord = (member: MemberId, over: Partial<MemberRecord> = {}): MemberRecord => ({
  ...WRITTEN,
  member,
  ...partsOf(member),
  enrolledAtWallMs: 5,
  instanceId: 'i-1',
  az: 'us-east-1a',
  instanceType: 'm5.large',
  privateIp: '10.0.0.1',
  otherAddresses: [],
  readinessProblems: [],
  serveContract: null,
  ...over,
});

export const activationRecord = (member: MemberId, instanceId: string, incarnation = 1): ActivationRecord => ({
  ...WRITTEN,
  member,
  incarnation,
  instanceId,
  opId: null,
  ordinal: 0,
});

export const intentRecord = (
  member: MemberId,
  oldInstanceId: string,
  over: Partial<IntentRecord> = {},
): IntentRecord => ({
  ...WRITTEN,
  opId: opIdOf(oldInstanceId),
  member,
  oldInstanceId,
  ordinal: 0,
  oldAz: 'us-east-1a',
  oldIncarnation: 1,
  activationModRevision: 1,
  term: 1,
  startedAtWallMs: 10,
  lastHeardWallMs: 9,
  reason: 'dead',
  serveContract: null,
  serveLeaseOverAfterMs: null,
  plan: {
    strategy: 'snapshot-and-replace',
    policy: DEFAULT_POLICY,
    volumes: [
      {
        volumeId: 'vol-1',
        deviceName: '/dev/xvda',
        isRoot: true,
        sizeGiB: 8,
        volumeType: 'gp3',
        iops: null,
        throughputMiBps: null,
        encrypted: false,
        kmsKeyId: null,
        deleteOnTermination: true,
        tags: {},
      },
    ],
    addresses: [],
    candidates: [{ subnetId: 'subnet-1', az: 'us-east-1a', instanceType: 'm5.large' }],
    image: {
      rootDeviceName: '/dev/xvda',
      architecture: 'x86_64',
      bootMode: null,
      enaSupport: true,
      tpmSupport: null,
      sriovNetSupport: null,
      virtualizationType: 'hvm',
      imdsSupport: null,
    },
    securityGroupIds: [],
    primaryInterfaceId: null,
    sourceDestCheck: true,
    networkInterfaceTags: {},
    protection: { stop: false, termination: false },
    oldLaunchedAtWallMs: null,
    instanceTags: {},
    launchBase: {},
    losses: [],
  },
  ...over,
});

export const holdRecord = (member: MemberId, over: Partial<HoldRecord> = {}): HoldRecord => ({
  ...WRITTEN,
  member,
  reason: 'Paused',
  text: 'paused by a person',
  sinceWallMs: 500,
  untilWallMs: null,
  opId: null,
  ...over,
});

export const requestRecord = (
  member: MemberId,
  opId: string,
  over: Partial<OperatorRequestRecord> = {},
): OperatorRequestRecord => ({
  ...WRITTEN,
  member,
  kind: 'retry',
  opId,
  by: 'ann',
  why: 'capacity is back',
  atWallMs: 600,
  loss: null,
  leaveOpen: false,
  ...over,
});

export const opinionRecord = (
  member: MemberId,
  observer: string,
  over: Partial<OpinionRecord> = {},
): OpinionRecord => ({
  ...WRITTEN,
  member,
  instanceId: 'i-1',
  observer,
  observerAz: 'us-east-1a',
  verdict: 'alive',
  reason: 'Heard',
  sinceWallMs: 1,
  lastHeardWallMs: 2,
  ...over,
});

export const historyRecord = (
  member: MemberId,
  oldInstanceId: string,
  over: Partial<HistoryRecord> = {},
): HistoryRecord => ({
  ...WRITTEN,
  opId: opIdOf(oldInstanceId),
  member,
  outcome: 'replaced',
  reason: 'dead',
  oldInstanceId,
  ordinal: 0,
  oldAz: 'us-east-1a',
  oldLaunchedAtWallMs: null,
  newInstanceId: 'i-new',
  newIncarnation: 2,
  startedAtWallMs: 10,
  endedAtWallMs: 20,
  lastHeardWallMs: 9,
  leaderChanges: 0,
  fencedBy: 'stopped',
  launchAttempts: 1,
  steps: [],
  leftovers: [],
  owed: [],
  ...over,
});

export const entryOf = (key: string, record: object | string, modRevision: number): KvEntry => ({
  key,
  value: typeof record === 'string' ? record : serializeRecord(record),
  createRevision: modRevision,
  modRevision,
  leaseId: null,
});
