import {
  type ActivationRecord,
  type CloudInstance,
  type InstanceState,
  type IntentRecord,
  type MemberId,
  type MemberRecord,
  TAG,
  wallMs,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { decideEnrolment, type EnrolInput } from './enrol.ts';

const NOW = wallMs(1_000_000);
const DB1: MemberId = 'prod/db1';
const written = { schemaVersion: 1 as const, writeId: 'w', writtenBy: 'c1', writtenAtWallMs: 0 };

function instance(
  instanceId: string,
  over: Partial<CloudInstance> & { readonly state?: InstanceState } = {},
): CloudInstance {
  return {
    instanceId,
    state: 'running',
    stateReasonCode: null,
    stateReasonText: null,
    imageId: 'ami-1',
    instanceType: 'm5.large',
    az: 'us-east-1a',
    subnetId: 'subnet-1',
    privateIp: '10.0.0.1',
    publicIp: null,
    keyName: null,
    iamInstanceProfileArn: null,
    architecture: 'x86_64',
    rootDeviceName: '/dev/xvda',
    ebsOptimized: false,
    detailedMonitoring: false,
    clientToken: null,
    launchedAtWallMs: 0,
    tags: { [TAG.group]: 'prod', [TAG.member]: 'db1' },
    volumes: [],
    networkInterfaces: [],
    raw: {},
    ...over,
  };
}

const memberRecord = (over: Partial<MemberRecord> = {}): MemberRecord => ({
  ...written,
  member: DB1,
  group: 'prod',
  name: 'db1',
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
const activation = (instanceId: string): ActivationRecord => ({
  ...written,
  member: DB1,
  incarnation: 1,
  instanceId,
  opId: null,
});

function input(instances: readonly CloudInstance[], over: Partial<EnrolInput> = {}): EnrolInput {
  return {
    instances,
    unseen: [],
    members: new Map(),
    activations: new Map(),
    intents: new Map(),
    unreadable: new Set(),
    lastIncarnation: new Map(),
    listedAtRevision: 100,
    nowWallMs: NOW,
    ...over,
  };
}
const enrolled = (over: Partial<EnrolInput> = {}): Partial<EnrolInput> => ({
  members: new Map([[DB1, { record: memberRecord(), modRevision: 7 }]]),
  activations: new Map([[DB1, { record: activation('i-1'), modRevision: 8 }]]),
  ...over,
});
const openIntent = (opId: string) =>
  new Map([[DB1, { record: { opId, member: DB1, oldInstanceId: 'i-1' } as IntentRecord, modRevision: 9 }]]);
const nothing = { enrol: [], refresh: [], conflicts: [], problems: [] };

describe('a member nobody is activated for', () => {
  test('the one running claimant becomes incarnation 1', () => {
    const decisions = decideEnrolment(input([instance('i-1')]));
    expect(decisions).toMatchObject({ conflicts: [], problems: [], refresh: [] });
    expect(decisions.enrol).toEqual([
      {
        member: DB1,
        memberRecord: {
          member: DB1,
          group: 'prod',
          name: 'db1',
          enrolledAtWallMs: NOW,
          instanceId: 'i-1',
          az: 'us-east-1a',
          instanceType: 'm5.large',
          privateIp: '10.0.0.1',
          otherAddresses: [],
          readinessProblems: [],
          serveContract: null,
        },
        activationRecord: { member: DB1, incarnation: 1, instanceId: 'i-1', opId: null },
      },
    ]);
  });

  test('the member tag may hold the whole id of the same group', () => {
    const tags = { [TAG.group]: 'prod', [TAG.member]: 'prod/db1' };
    expect(decideEnrolment(input([instance('i-1', { tags })])).enrol.map((one) => one.member)).toEqual([DB1]);
  });

  test('two live claimants: nobody is enrolled, the member is held', () => {
    const decisions = decideEnrolment(input([instance('i-1'), instance('i-2', { state: 'pending' })]));
    expect(decisions.enrol).toEqual([]);
    expect(decisions.conflicts).toMatchObject([{ member: DB1, reason: 'TwoInstancesClaimMember' }]);
    expect(decisions.conflicts[0]?.text).toContain('i-1 (running), i-2 (pending)');
  });

  test.each<[string, InstanceState]>([
    ['pending', 'pending'],
    ['stopping', 'stopping'],
  ])('a %s claimant is not enrolled yet', (_, state) => {
    const decisions = decideEnrolment(input([instance('i-1', { state })]));
    expect(decisions.enrol).toEqual([]);
    expect(decisions.problems).toMatchObject([{ instanceId: 'i-1', code: 'NotRunningYet' }]);
  });

  test('terminated, shutting-down and retired instances are nobody', () => {
    const retired = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.retiredBy]: 'op-1' };
    const gone = [
      instance('i-1', { state: 'terminated' }),
      instance('i-2', { state: 'shutting-down' }),
      instance('i-3', { state: 'stopped', tags: retired }),
    ];
    expect(decideEnrolment(input(gone))).toEqual(nothing);
    expect(decideEnrolment(input([...gone, instance('i-4')])).enrol).toHaveLength(1);
  });

  test('a member that was removed goes on after its last incarnation', () => {
    const decisions = decideEnrolment(input([instance('i-1')], { lastIncarnation: new Map([[DB1, 3]]) }));
    expect(decisions.enrol[0]?.activationRecord.incarnation).toBe(4);
  });

  test('enrolled but the activation is gone: held, never guessed', () => {
    const decisions = decideEnrolment(input([instance('i-1')], { ...enrolled(), activations: new Map() }));
    expect(decisions.enrol).toEqual([]);
    expect(decisions.conflicts).toMatchObject([{ member: DB1, reason: 'NotReady' }]);
  });

  test('a member with an unreadable record is left alone', () => {
    expect(decideEnrolment(input([instance('i-1')], { unreadable: new Set([DB1]) }))).toEqual(nothing);
  });
});

describe('claimants that cannot be seen, their zone being impaired', () => {
  const claim = { [TAG.group]: 'prod', [TAG.member]: 'db1' };
  const unseen = (instanceId: string, tags: object = {}) => [{ instanceId, tags: { ...claim, ...tags } }];

  test('are not enrolled, nor is another one meanwhile', () => {
    const decisions = decideEnrolment(input([instance('i-1')], { unseen: unseen('i-2') }));
    expect(decisions).toMatchObject({
      enrol: [],
      conflicts: [],
      problems: [{ instanceId: 'i-2', code: 'NotVisible' }],
    });
  });

  test('may be running beside the activated one: held', () => {
    const decisions = decideEnrolment(input([instance('i-1')], enrolled({ unseen: unseen('i-2') })));
    expect(decisions.conflicts).toMatchObject([{ member: DB1, reason: 'ClaimAgainstActivation' }]);
    expect(decisions.conflicts[0]?.text).toContain('i-2');
  });

  test.each([
    ['the activated one itself', unseen('i-1'), {}],
    ['one we retired', unseen('i-2', { [TAG.retiredBy]: 'op-1' }), {}],
    ['the replacement of the open recovery', unseen('i-2', { [TAG.op]: 'op-1' }), { intents: openIntent('op-1') }],
    ['one of an activation newer than the listing', unseen('i-2'), { listedAtRevision: 7 }],
  ])('%s is no stranger', (_, claimants, over) => {
    expect(decideEnrolment(input([], enrolled({ unseen: claimants, ...over })))).toEqual(nothing);
  });
});

describe('a member with an activation', () => {
  test('its own instance, unchanged: nothing to do', () => {
    expect(decideEnrolment(input([instance('i-1')], enrolled()))).toEqual(nothing);
  });

  test.each<[string, InstanceState, boolean]>([
    ['pending', 'pending', true],
    ['running', 'running', true],
    ['stopping', 'stopping', true],
    ['stopped', 'stopped', false],
    ['shutting-down', 'shutting-down', false],
    ['terminated', 'terminated', false],
  ])('a %s stranger is a claim against the activation: %s', (_, state, held) => {
    const decisions = decideEnrolment(input([instance('i-1'), instance('i-2', { state })], enrolled()));
    expect(decisions.conflicts.map((one) => one.reason)).toEqual(held ? ['ClaimAgainstActivation'] : []);
    expect(decisions.enrol).toEqual([]);
  });

  test('a stopped stranger is a problem to look at, not a hold', () => {
    const decisions = decideEnrolment(input([instance('i-1'), instance('i-2', { state: 'stopped' })], enrolled()));
    expect(decisions.problems).toMatchObject([{ instanceId: 'i-2', code: 'StoppedClaimant' }]);
  });

  test('the replacement of the open recovery is no stranger, another one is', () => {
    const ours = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.op]: 'op-1' };
    const open = enrolled({ intents: openIntent('op-1') });
    expect(decideEnrolment(input([instance('i-1'), instance('i-2', { tags: ours })], open)).conflicts).toEqual([]);
    const theirs = { ...ours, [TAG.op]: 'op-2' };
    expect(decideEnrolment(input([instance('i-1'), instance('i-2', { tags: theirs })], open)).conflicts).toHaveLength(
      1,
    );
  });

  test('a replacement whose recovery is closed without activating it is a stranger', () => {
    const ours = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.op]: 'op-1' };
    const decisions = decideEnrolment(input([instance('i-1'), instance('i-2', { tags: ours })], enrolled()));
    expect(decisions.conflicts).toMatchObject([{ reason: 'ClaimAgainstActivation' }]);
  });

  test('a retired instance somebody started again is a stranger', () => {
    const tags = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.retiredBy]: 'op-1' };
    const decisions = decideEnrolment(input([instance('i-1'), instance('i-0', { tags })], enrolled()));
    expect(decisions.conflicts).toMatchObject([{ reason: 'ClaimAgainstActivation' }]);
  });

  test('an activation newer than the listing is judged by the next listing', () => {
    const activations = new Map([[DB1, { record: activation('i-9'), modRevision: 101 }]]);
    expect(decideEnrolment(input([instance('i-1')], enrolled({ activations })))).toEqual(nothing);
  });

  test('after a recovery the record follows the activation and forgets the old readiness', () => {
    const members = new Map([
      [DB1, { record: memberRecord({ readinessProblems: [{ code: 'x', text: 'y' }] }), modRevision: 7 }],
    ]);
    const activations = new Map([[DB1, { record: activation('i-2'), modRevision: 20 }]]);
    const tags = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.op]: 'op-1' };
    const decisions = decideEnrolment(
      input([instance('i-2', { tags, az: 'us-east-1b' })], enrolled({ members, activations })),
    );
    expect(decisions.refresh).toMatchObject([
      {
        member: DB1,
        expect: 7,
        activationModRevision: 20,
        record: { instanceId: 'i-2', az: 'us-east-1b', enrolledAtWallMs: 5, readinessProblems: [] },
      },
    ]);
  });

  test('a missing member record is made again', () => {
    const decisions = decideEnrolment(input([instance('i-1')], enrolled({ members: new Map() })));
    expect(decisions.refresh).toMatchObject([{ member: DB1, expect: 0 }]);
  });

  test('the record is not touched while a recovery is open', () => {
    const moved = instance('i-1', { privateIp: '10.9.9.9' });
    expect(decideEnrolment(input([moved], enrolled({ intents: openIntent('op-1') }))).refresh).toEqual([]);
    expect(decideEnrolment(input([moved], enrolled())).refresh).toHaveLength(1);
    const more = instance('i-1', { publicIp: '54.0.0.1' });
    expect(decideEnrolment(input([more], enrolled())).refresh).toMatchObject([
      { record: { otherAddresses: ['54.0.0.1'] } },
    ]);
  });
});

describe('tags', () => {
  test.each([
    [{ [TAG.group]: 'prod', [TAG.member]: 'DB1' }, 'understudy:member=DB1: has capital letters; db1 would do'],
    [{ [TAG.group]: 'Prod', [TAG.member]: 'db1' }, 'understudy:group=Prod: has capital letters; prod would do'],
    [{ [TAG.group]: 'prod', [TAG.member]: 'db 1' }, 'understudy:member=db 1: has blanks; db-1 would do'],
    [{ [TAG.group]: 'prod', [TAG.member]: 'prod/_x' }, 'begins with neither letter nor digit; x would do'],
    [{ [TAG.group]: 'prod', [TAG.member]: 'dé' }, 'has other characters than a-z 0-9 . _ -; d- would do'],
    [{ [TAG.group]: 'prod', [TAG.member]: 'a'.repeat(64) }, 'has 64 characters, at most 63'],
    [{ [TAG.group]: 'prod', [TAG.member]: 'prod/' }, 'understudy:member=: is empty'],
    [{ [TAG.group]: 'prod', [TAG.member]: 'a/b/c' }, 'understudy:member=a/b/c has more than one "/"'],
    [{ [TAG.member]: 'db1' }, 'has understudy:member=db1 but no understudy:group'],
  ])('%j: the reason is said', (tags, text) => {
    expect(decideEnrolment(input([instance('i-1', { tags })])).problems[0]?.text).toContain(text);
  });

  test.each<[string, Record<string, string>, string]>([
    ['no member tag', { [TAG.group]: 'prod' }, 'MemberTagMissing'],
    ['no group tag', { [TAG.member]: 'db1' }, 'GroupTagMissing'],
    ['empty group', { [TAG.group]: '', [TAG.member]: 'db1' }, 'GroupTagEmpty'],
    ['bad name', { [TAG.group]: 'prod', [TAG.member]: 'DB 1' }, 'NameInvalid'],
    ['bad group', { [TAG.group]: '../x', [TAG.member]: 'db1' }, 'NameInvalid'],
    ['three parts', { [TAG.group]: 'prod', [TAG.member]: 'prod/db1/x' }, 'NameInvalid'],
    ['another group', { [TAG.group]: 'prod', [TAG.member]: 'dev/db1' }, 'GroupMismatch'],
  ])('%s is reported and enrols nobody', (_, tags, code) => {
    const decisions = decideEnrolment(input([instance('i-1', { tags })]));
    expect(decisions).toMatchObject({ enrol: [], conflicts: [], problems: [{ instanceId: 'i-1', code }] });
  });
});
