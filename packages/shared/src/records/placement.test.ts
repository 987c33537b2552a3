import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import {
  ActivationRecordSchema,
  CoordinatorRecordSchema,
  GroupRecordSchema,
  HoldRecordSchema,
  JudgementRecordSchema,
  JudgeRecordSchema,
  MemberRecordSchema,
  OpinionRecordSchema,
  PauseRecordSchema,
  PolicyRecordSchema,
} from './cluster.ts';
import { AnswerRecordSchema, AuditRecordSchema, DrainRecordSchema, TransferRecordSchema } from './audit.ts';
import { JournalRecordSchema } from './journal.ts';
import { HistoryRecordSchema, IntentRecordSchema } from './recovery.ts';
import { OperatorRequestRecordSchema } from './operator-request.ts';
import { parseRecord } from './record.ts';
import { DEFAULT_POLICY } from '../policy.ts';

const ROOT = '/understudy/v1/';
const base = { schemaVersion: 1, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 0 };
const times = { startedAtWallMs: 1, endedAtWallMs: 2 };
const volume = {
  ...{ volumeId: 'vol-1', deviceName: '/dev/xvda', isRoot: true, sizeGiB: 8, volumeType: 'gp3', iops: null },
  ...{ throughputMiBps: null, encrypted: false, kmsKeyId: null, deleteOnTermination: true, tags: {} },
};
const image = {
  ...{ rootDeviceName: '/dev/xvda', architecture: 'x86_64', bootMode: null, enaSupport: true, tpmSupport: null },
  ...{ sriovNetSupport: null, virtualizationType: null, imdsSupport: null },
};
const plan = {
  ...{ strategy: 'snapshot-and-replace', policy: DEFAULT_POLICY, volumes: [volume], addresses: [], image },
  candidates: [{ subnetId: 's', az: 'a', instanceType: 't' }],
  ...{ securityGroupIds: [], sourceDestCheck: true, protection: { stop: false, termination: false } },
  ...{ instanceTags: {}, launchBase: {}, losses: [] },
  ...{ primaryInterfaceId: null, oldLaunchedAtWallMs: null, networkInterfaceTags: {} },
};

/**
 * Area, key below the root, a record that belongs there, and every field of it that its key says
 * too.
 */
const AREAS: readonly (readonly [z.ZodType, string, object, readonly string[]])[] = [
  [
    CoordinatorRecordSchema,
    'coordinators/c1',
    {
      ...{ coordinatorId: 'c1', az: 'a', udpEndpoint: 'x:1', httpUrl: 'http://x', startedAtWallMs: 1, version: '1' },
      ...{ processId: 'p1', answersHoldMs: 20_000, featureLevel: 1 },
    },
    ['coordinatorId'],
  ],
  [
    OpinionRecordSchema,
    'opinions/prod/db1/c1',
    {
      ...{ member: 'prod/db1', instanceId: 'i-1', observer: 'c1', observerAz: 'a', verdict: 'alive', reason: 'Heard' },
      ...{ sinceWallMs: 1, lastHeardWallMs: null },
    },
    ['member', 'observer'],
  ],
  [
    JudgementRecordSchema,
    'judgements/prod/db1',
    {
      ...{ member: 'prod/db1', instanceId: 'i-1', term: 1, verdict: 'alive', reasonCode: 'Heard', reason: 'x' },
      ...{ degraded: false, sinceWallMs: 1 },
    },
    ['member'],
  ],
  [JudgeRecordSchema, 'judge/current', { coordinatorId: 'c1', term: 1 }, []],
  [GroupRecordSchema, 'groups/prod', { group: 'prod', policy: {} }, ['group']],
  [PolicyRecordSchema, 'policies/prod', { group: 'prod', policy: {}, groupRevision: 3 }, ['group']],
  [
    MemberRecordSchema,
    'members/prod/db1',
    {
      ...{ member: 'prod/db1', group: 'prod', name: 'db1', enrolledAtWallMs: 1, instanceId: 'i-1', az: 'a' },
      ...{ instanceType: 't', privateIp: null, otherAddresses: [], readinessProblems: [], serveContract: null },
    },
    ['member', 'group', 'name'],
  ],
  [
    ActivationRecordSchema,
    'activations/prod/db1',
    { member: 'prod/db1', incarnation: 1, instanceId: 'i-1', opId: null, ordinal: 0 },
    ['member'],
  ],
  [
    IntentRecordSchema,
    'intents/prod/db1',
    {
      ...{ opId: 'op-1', member: 'prod/db1', oldInstanceId: 'i-1', oldIncarnation: 1, activationModRevision: 1 },
      ...{ term: 1, startedAtWallMs: 1, lastHeardWallMs: null, reason: 'dead', plan },
      ...{ ordinal: 0, oldAz: 'a', serveContract: null, serveLeaseOverAfterMs: null },
    },
    ['member'],
  ],
  [
    JournalRecordSchema,
    'journal/op-1/fence',
    { opId: 'op-1', step: 'fence', state: 'done', term: 1, ...times, request: null, result: null, error: null },
    ['opId', 'step'],
  ],
  [
    HoldRecordSchema,
    'holds/prod/db1',
    { member: 'prod/db1', reason: 'Paused', text: 'x', sinceWallMs: 1, untilWallMs: null, opId: null },
    ['member'],
  ],
  [
    OperatorRequestRecordSchema,
    'requests/prod/db1',
    { member: 'prod/db1', kind: 'retry', opId: 'op-1', by: 'a', why: 'b', atWallMs: 1, loss: null, leaveOpen: false },
    ['member'],
  ],
  [
    AuditRecordSchema,
    'audit/0000000000000007-000001',
    {
      ...{ auditId: '0000000000000007-000001', atWallMs: 1, kind: 'pause', about: 'global', who: 'ann', from: 'x' },
      ...{ reason: 'y', requestId: 'r', text: 't', before: null, after: null },
    },
    ['auditId'],
  ],
  [
    AnswerRecordSchema,
    `answers/${'a'.repeat(32)}`,
    { answerId: 'a'.repeat(32), atWallMs: 1, requestHash: 'h', auditId: 'x', result: {} },
    ['answerId'],
  ],
  [
    DrainRecordSchema,
    'drains/c1',
    { coordinatorId: 'c1', who: 'ann', why: 'y', sinceWallMs: 1, untilWallMs: null },
    ['coordinatorId'],
  ],
  [TransferRecordSchema, 'leader-transfer/current', { term: 7, to: 'c2', standBackMs: 3_000 }, []],
  [
    HistoryRecordSchema,
    'history/prod/db1/op-1',
    {
      ...{
        opId: 'op-1',
        member: 'prod/db1',
        outcome: 'replaced',
        reason: 'dead',
        oldInstanceId: 'i-1',
        newInstanceId: 'i-2',
      },
      ...{
        newIncarnation: 2,
        ...times,
        lastHeardWallMs: null,
        leaderChanges: 0,
        launchAttempts: 1,
        steps: [],
        leftovers: [],
      },
      ...{ ordinal: 0, oldAz: 'a', oldLaunchedAtWallMs: null, fencedBy: 'stopped', owed: [] },
    },
    ['member', 'opId'],
  ],
  ...['global', 'group/orders-db', 'member/orders-db/a'].map(
    (scope): readonly [z.ZodType, string, object, readonly string[]] => [
      PauseRecordSchema,
      `pauses/${scope}`,
      { scope, who: 'ann', why: 'x', sinceWallMs: 0, untilWallMs: null },
      ['scope'],
    ],
  ),
];

const read = (schema: z.ZodType, key: string, record: object) =>
  parseRecord(schema, `${ROOT}${key}`, JSON.stringify({ ...base, ...record }));

describe.each(AREAS)('a record below its key', (schema, key, record, fields) => {
  it(`${key}: one that agrees is read`, () => {
    expect(read(schema, key, record)).toMatchObject({
      ...record,
      ...('policy' in record ? { policy: DEFAULT_POLICY } : {}),
    });
  });

  it.each(fields)(`${key}: one whose %s is another is none, and both are named`, (field) => {
    const other = field === 'member' ? 'prod/other' : 'other';
    const own = String(new Map(Object.entries(record)).get(field));
    expect(() => read(schema, key, { ...record, [field]: other })).toThrow(
      `RECORD_UNREADABLE: ${ROOT}${key}: ${field} is "${other}", but the key says "${own}"`,
    );
  });

  it(`${key}: no other place is its own`, () => {
    expect(() => read(schema, `elsewhere/${key}/x/y`, record)).toThrow(/is no key of|but the key says|no scope/);
  });
});

describe('the scope of a pause', () => {
  it.each([
    ['group/orders-db', 'group'],
    ['group/', 'group/'],
    ['group/orders-db/', 'group/orders-db/'],
    ['group/Orders-DB', 'group/Orders-DB'],
    ['group/orders db', 'group/orders db'],
    ['all', 'all'],
    ['global/', 'global/'],
    ['global/orders-db', 'global/orders-db'],
    ['member/orders-db', 'member/orders-db'],
    ['member/orders-db/', 'member/orders-db/'],
    ['groups/orders-db', 'groups/orders-db'],
  ])('pauses/%s with scope "%s" is no pause that can be read', (key, scope) => {
    const record = { scope, who: 'ann', why: 'x', sinceWallMs: 0, untilWallMs: null };
    expect(() => read(PauseRecordSchema, `pauses/${key}`, record)).toThrow('RECORD_UNREADABLE');
  });

  it.each(['/', '/a/', '/pauses-of/b/c/'])('is the same below any root, as %s', (root) => {
    const record = { ...base, scope: 'group/pauses', who: 'a', why: 'b', sinceWallMs: 0, untilWallMs: null };
    expect(parseRecord(PauseRecordSchema, `${root}pauses/group/pauses`, JSON.stringify(record))).toMatchObject(record);
  });
});
