import { type CloudInstance, type InstanceState, opIdOf, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { decideEnrolment } from './enrol.ts';
import {
  activation,
  DB1,
  enrolled,
  input,
  instance,
  memberRecord,
  NOW,
  nothing,
  openIntent,
} from './enrol.fixtures.ts';

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
        activationRecord: { member: DB1, incarnation: 1, instanceId: 'i-1', opId: null, ordinal: 0 },
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

  test('an instance whose records were removed begins above the names of preparations that have gone', () => {
    const goneNames = new Set([opIdOf('i-1', 0), opIdOf('i-1', 1), opIdOf('i-1', 3)]);
    const ordinalOf = (instanceId: string) =>
      decideEnrolment(input([instance(instanceId)], { goneNames })).enrol[0]?.activationRecord.ordinal;
    expect([ordinalOf('i-1'), ordinalOf('i-2')]).toEqual([2, 0]);
  });

  test('many live claimants: five are named, the rest is counted', () => {
    const claim = (count: number) => Array.from({ length: count }, (_, index) => instance(`i-${index}`));
    const saidOf = (count: number) => decideEnrolment(input(claim(count))).conflicts[0]?.text ?? '';
    const five = 'i-0 (running), i-1 (running), i-2 (running), i-3 (running), i-4 (running)';
    expect(saidOf(5)).toBe(`5 live instances claim prod/db1: ${five}. Leave the tags on one of them`);
    expect(saidOf(7)).toBe(`7 live instances claim prod/db1: ${five} and 2 more. Leave the tags on one of them`);
  });

  test('a stopped claimant is not enrolled: it serves for nobody', () => {
    const decisions = decideEnrolment(input([instance('i-1', { state: 'stopped' })]));
    expect(decisions).toMatchObject({ enrol: [], conflicts: [], problems: [{ code: 'StoppedClaimant' }] });
  });

  test('nobody is enrolled while a recovery of that member is open', () => {
    expect(decideEnrolment(input([instance('i-1')], { intents: openIntent('op-1') }))).toEqual(nothing);
  });

  test('enrolled but the activation is gone: held, never guessed', () => {
    const heldFor = (claimant: CloudInstance) => {
      const decisions = decideEnrolment(input([claimant], { ...enrolled(), activations: new Map() }));
      expect(decisions.enrol).toEqual([]);
      expect(decisions.conflicts).toMatchObject([{ member: DB1, reason: 'NotReady' }]);
      return decisions.conflicts[0]?.text;
    };
    expect(heldFor(instance('i-1'))).toContain('to enrol i-1 afresh');
    expect(heldFor(instance('i-1', { state: 'stopped' }))).toContain('to enrol its instance afresh');
  });

  test('a cluster has 100 000 members at most: who comes later is reported', () => {
    const members = new Map();
    Object.defineProperty(members, 'size', { value: 99_999 });
    const claiming = (name: string) => instance(`i-${name}`, { tags: { [TAG.group]: 'prod', [TAG.member]: name } });
    const decisions = decideEnrolment(input([claiming('a'), claiming('b')], { members }));
    expect(decisions.enrol.map((one) => one.member)).toEqual(['prod/a']);
    expect(decisions.problems).toEqual([
      { instanceId: 'i-b', code: 'TooManyMembers', text: '100000 members are enrolled; prod/b is not' },
    ]);
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

  test('are named, five of them', () => {
    const many = ['i-1', 'i-2', 'i-3', 'i-4', 'i-5', 'i-6'].flatMap((id) => unseen(id));
    const decisions = decideEnrolment(input([], { unseen: many }));
    const text = 'i-1, i-2, i-3, i-4, i-5 claims prod/db1 and cannot be seen while its zone is impaired';
    expect(decisions.problems.map((one) => one.text)).toEqual([text]);
  });

  test('are strangers when they carry the tag of another recovery than the open one', () => {
    const other = unseen('i-2', { [TAG.op]: 'op-2' });
    const decisions = decideEnrolment(input([], enrolled({ unseen: other, intents: openIntent('op-1') })));
    expect(decisions.conflicts).toMatchObject([{ reason: 'ClaimAgainstActivation' }]);
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
    [
      'the old one of a recovery that has activated its replacement',
      unseen('i-1'),
      { intents: openIntent('op-1'), activations: new Map([[DB1, { record: activation('i-2'), modRevision: 8 }]]) },
    ],
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

  test('its own instance, stopped, is no problem and no news: whoever judges it looks at it', () => {
    const stopped = instance('i-1', { state: 'stopped', privateIp: '10.9.9.9' });
    expect(decideEnrolment(input([stopped], enrolled()))).toEqual(nothing);
  });

  test('a stopped replacement of ours is not told to be untagged', () => {
    const tags = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.op]: 'op-1' };
    expect(decideEnrolment(input([instance('i-2', { state: 'stopped', tags })], enrolled()))).toEqual(nothing);
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

  test('the retired instance that an open undo has serve again is no stranger, while it is open', () => {
    const ours = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.retiredBy]: 'op-0' };
    const seen = [instance('i-1'), instance('i-2', { tags: ours })];
    const undo = { strategy: 'undo', undo: { instanceId: 'i-2' } };
    expect(decideEnrolment(input(seen, enrolled({ intents: openIntent('op-1', undo) }))).conflicts).toEqual([]);
    const other = { strategy: 'undo', undo: { instanceId: 'i-3' } };
    expect(decideEnrolment(input(seen, enrolled({ intents: openIntent('op-1', other) }))).conflicts).toHaveLength(1);
    expect(decideEnrolment(input(seen, enrolled())).conflicts).toHaveLength(1);
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
    const listed = enrolled({ activations, listedAtRevision: 101 });
    expect(decideEnrolment(input([instance('i-1')], listed)).conflicts).toMatchObject([
      { reason: 'ClaimAgainstActivation' },
    ]);
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
    expect(decisions.refresh).toMatchObject([{ member: DB1, expect: 0, record: { enrolledAtWallMs: NOW } }]);
  });

  test.each([
    ['a type', { instanceType: 'm5.xlarge' }],
    ['a zone', { az: 'us-east-1b' }],
    ['a private address', { privateIp: '10.9.9.9' }],
    ['another address', { publicIp: '54.0.0.1' }],
  ])('%s that has changed goes into its record, which keeps readiness and contract', (_, changed) => {
    const serveContract = { id: 'a', stopWithinMs: 60_000, requireWatchdog: true, answersHoldMs: 20_000 };
    const readinessProblems = [{ code: 'x', text: 'y' }];
    const known = new Map([[DB1, { record: memberRecord({ serveContract, readinessProblems }), modRevision: 7 }]]);
    const decisions = decideEnrolment(input([instance('i-1', changed)], enrolled({ members: known })));
    const { publicIp, ...others } = { publicIp: undefined, ...changed };
    const otherAddresses = publicIp === undefined ? [] : [publicIp];
    const record = { ...others, otherAddresses, serveContract, readinessProblems, enrolledAtWallMs: 5 };
    expect(decisions.refresh).toMatchObject([{ expect: 7, record }]);
  });

  test('a successor that looks the same in everything is another instance all the same', () => {
    const activations = new Map([[DB1, { record: activation('i-2'), modRevision: 20 }]]);
    const decisions = decideEnrolment(input([instance('i-2')], enrolled({ activations })));
    expect(decisions.refresh).toMatchObject([{ record: { instanceId: 'i-2' } }]);
  });

  test('an instance with two other addresses in its record is not news at every listing', () => {
    const raw = {
      NetworkInterfaces: [{ Ipv6Addresses: [{ Ipv6Address: '2001:db8::1' }, { Ipv6Address: '2001:db8::2' }] }],
    };
    const record = memberRecord({ otherAddresses: ['2001:db8::1', '2001:db8::2'] });
    const members = new Map([[DB1, { record, modRevision: 7 }]]);
    expect(decideEnrolment(input([instance('i-1', { raw })], enrolled({ members })))).toEqual(nothing);
  });

  test('once a recovery has activated its replacement the record follows, although chores are left', () => {
    const record = { ...activation('i-2'), opId: 'op-1' };
    const activations = new Map([[DB1, { record, modRevision: 20 }]]);
    const open = enrolled({ activations, intents: openIntent('op-1') });
    const tags = { [TAG.group]: 'prod', [TAG.member]: 'db1', [TAG.op]: 'op-1' };
    expect(decideEnrolment(input([instance('i-2', { tags })], open)).refresh).toMatchObject([
      { record: { instanceId: 'i-2' } },
    ]);
  });

  test('a listing that misses its instance changes nothing', () => {
    expect(decideEnrolment(input([], enrolled()))).toEqual(nothing);
    const stranger = instance('i-2', { state: 'stopped' });
    expect(decideEnrolment(input([stranger], enrolled()))).toMatchObject({ refresh: [], conflicts: [] });
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
