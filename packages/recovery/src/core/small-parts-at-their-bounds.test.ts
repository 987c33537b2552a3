import { type CloudVolume, DEFAULT_POLICY, type ErrorCode, OperationError } from '@understudy/shared';
import { policyWith } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { launchBaseOf } from './fidelity/carried.ts';
import { isBurstable } from './fidelity/compute.ts';
import { primaryInterfaceOf, rawPrimaryInterfaceOf } from './fidelity/primary-interface.ts';
import { buildLaunchRequest, buildPermitRequest } from './launch-request.ts';
import { canonical, carriedTags, commonTags, limitTags, tagSpecification } from './launch-tags.ts';
import { trialOutcome, trialProblems, trialRequestOf, referencesAfter } from './launch-trial.ts';
import { instanceFixture, planFixture, planInputFixture, requestIntentFixture, volumeFixture } from './plan.fixture.ts';
import { makePlan } from './plan.ts';
import { disksToKeep, plannedVolumes } from './planned-volumes.ts';
import { namedBy, type References, UNKNOWN_REFERENCES } from './references.ts';
import { madeNothing, refusalClassOf } from './refusals.ts';
import { lockedTexts, standingOf, unaskedTexts } from './volume-keys.ts';
import { ownVolumeTags } from './volume-tags.ts';

describe('tags', () => {
  it('carried on are those that can be written and are no marks of an earlier recovery', () => {
    const marks = ['op', 'attempt', 'retired-by', 'retain-until', 'fenced-by', 'fenced-run'].map(
      (name) => `understudy:${name}`,
    );
    const tags = Object.fromEntries([...marks, 'aws:x', 'Name', 'understudy:group'].map((key) => [key, 'v']));
    expect(Object.keys(carriedTags(tags)).filter((key) => !marks.includes(key))).toEqual(['Name', 'understudy:group']);
  });
  it('over the limit go by rank and then by name: ours, those of the policy, the others', () => {
    const tags = { b: '', z: '', a: '', 'understudy:x': '', B: '' };
    expect(Object.keys(limitTags(tags, 3, { z: '' }))).toEqual(['understudy:x', 'z', 'B']);
    expect(Object.keys(limitTags(tags, 4))).toEqual(['understudy:x', 'B', 'a', 'b']);
    expect(limitTags(tags, 0)).toEqual({});
  });
  it('common to all have the same value on each', () => {
    const of = (...all: readonly Record<string, string>[]) => commonTags(all.map((tags) => ({ tags })));
    expect(of({ a: '1', b: '2' }, { a: '1', b: '3' })).toEqual({ a: '1' });
    expect(of({ a: '1' })).toEqual({ a: '1' });
    expect(of({ a: '1' }, {}, { a: '1' })).toEqual({});
    expect(of()).toEqual({});
  });
  it('are sent in order of their names', () =>
    expect(tagSpecification('volume', { b: '2', a: '1', B: '3' })).toEqual({
      ResourceType: 'volume',
      Tags: [
        { Key: 'B', Value: '3' },
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    }));
  it('that differ per disk are put on afterwards, as many as there is room for', () => {
    const disk = (deviceName: string, tags: Record<string, string>) => ({ deviceName, tags }) as never;
    const policy = { recover: { tags: { team: 'db' } } };
    const volumes = [
      disk('/dev/a', { x: '1', y: '1' }),
      disk('/dev/b', { x: '1', y: '2', team: 'own' }),
      disk('/dev/c', { x: '1' }),
    ];
    expect(ownVolumeTags({ volumes, policy })).toEqual([
      { deviceName: '/dev/a', tags: { y: '1' } },
      { deviceName: '/dev/b', tags: { team: 'own', y: '2' } },
    ]);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 'v']));
    const [own] = ownVolumeTags({ volumes: [disk('/dev/a', many), disk('/dev/b', {})], policy });
    expect(Object.keys(own?.tags ?? {})).toHaveLength(47);
  });
});

it('a record is the same whatever order its members came in; what is undefined is not there', () => {
  const value = { b: [{ d: 1, c: undefined }, null], a: 'x', B: 0 };
  expect(JSON.stringify(canonical(value))).toBe('{"B":0,"a":"x","b":[{"d":1},null]}');
});

describe('a launch', () => {
  const intent = requestIntentFixture();
  const request = (over: object) =>
    buildLaunchRequest({
      ...{ intent, attempt: 1, candidate: { subnetId: 'subnet-a', az: 'us-east-1a', instanceType: 'm7i.large' } },
      ...{ networkInterfaceId: 'eni-1', imageId: 'ami-1', snapshotIdsByVolume: { 'vol-data': 'snap-1' } },
      ...over,
    });
  const ebs = (change: Partial<CloudVolume>) => {
    const plan = { ...intent.plan, volumes: intent.plan.volumes.map((one) => ({ ...one, ...change })) };
    const { BlockDeviceMappings } = request({ intent: { ...intent, plan } });
    return (BlockDeviceMappings as { Ebs: object }[]).map((one) => one.Ebs);
  };
  it.each(['gp3', 'io1', 'io2'])('repeats the operations per second of %s, where they are known', (volumeType) => {
    expect(ebs({ volumeType, iops: 4_000 })[0]).toMatchObject({ Iops: 4_000 });
    expect(ebs({ volumeType, iops: null })[0]).not.toHaveProperty('Iops');
  });
  it('repeats no figure that EC2 computed', () => {
    expect(ebs({ volumeType: 'gp2', iops: 300 })[0]).not.toHaveProperty('Iops');
    expect(ebs({ volumeType: 'io2', throughputMiBps: 125 })[0]).not.toHaveProperty('Throughput');
    expect(ebs({ volumeType: 'gp3', throughputMiBps: null })[0]).not.toHaveProperty('Throughput');
    expect(ebs({ volumeType: 'gp3', throughputMiBps: 200 })[0]).toMatchObject({ Throughput: 200 });
  });
  it('names a key only with encryption, and encryption only with a key', () => {
    expect(ebs({ encrypted: true, kmsKeyId: 'k' })[0]).toMatchObject({ Encrypted: true, KmsKeyId: 'k' });
    expect(ebs({ encrypted: true, kmsKeyId: null })[0]).not.toHaveProperty('Encrypted');
    expect(ebs({ encrypted: false, kmsKeyId: 'k' })[0]).not.toHaveProperty('KmsKeyId');
  });
  it('takes the root from the image, the others from their snapshots; all go with an attempt that dies', () => {
    const [root, data] = ebs({});
    expect(root).not.toHaveProperty('SnapshotId');
    expect(data).toMatchObject({ SnapshotId: 'snap-1', DeleteOnTermination: true });
    expect(root).toMatchObject({ DeleteOnTermination: true });
  });
  it('of the T family takes credits, and of no other', () => {
    expect(['t2.micro', 't3a.small', 't4g.nano'].every(isBurstable)).toBe(true);
    expect(['trn1.2xlarge', 'm5.t3', 'xt3.small'].some(isBurstable)).toBe(false);
  });
  it('is permitted by an interface whose description fits into 255 characters', () => {
    const long = { ...intent, member: `db/${'x'.repeat(300)}` as never };
    const candidate = { subnetId: 'subnet-a', az: 'a', instanceType: 't' };
    expect(buildPermitRequest({ intent: long, attempt: 1, candidate }).description).toHaveLength(255);
  });
});

it('disks are kept that were to outlive the failed instance and would go with the new one', () => {
  const volume = (deviceName: string, deleteOnTermination: boolean) => ({ deviceName, deleteOnTermination }) as never;
  const planned = [volume('/dev/a', true), volume('/dev/b', false), volume('/dev/c', false)];
  const has = [volume('/dev/a', true), volume('/dev/b', true), volume('/dev/c', false), volume('/dev/d', true)];
  expect(disksToKeep(planned, { volumes: has })).toEqual(['/dev/b']);
});

describe('a launch that was only tried', () => {
  const image = { imageId: 'ami-1', architecture: 'x86_64' } as never;
  it('names subnet, groups and type of the first placement, and the tags of the policy', () => {
    const plan = planFixture({}, policyWith({ recover: { tags: { team: 'db' } } }));
    const request = trialRequestOf(planInputFixture({ image }), plan);
    expect(request).toMatchObject({
      InstanceType: 'm7i.large',
      SubnetId: 'subnet-a',
      SecurityGroupIds: ['sg-1', 'sg-2'],
    });
    expect(JSON.stringify(request?.['TagSpecifications'])).toContain('"Key":"team"');
    expect(trialRequestOf(planInputFixture({ image }), { ...plan, candidates: [] })).toBeNull();
  });
  it.each<[ErrorCode, string | undefined, string, object]>([
    ['CLOUD_DENIED', undefined, 'x', { kind: 'denied', names: null }],
    ['CLOUD_NOT_FOUND', undefined, 'the IAM instance profile', { kind: 'refused', names: 'instanceProfile' }],
    ['CLOUD_REJECTED', undefined, 'a licence', { kind: 'refused', names: 'licences' }],
    ['CLOUD_REJECTED', undefined, 'License', { kind: 'refused', names: 'licences' }],
    ['CLOUD_REJECTED', undefined, 'else', { kind: 'refused', names: null }],
    ['CLOUD_CAPACITY', 'Unsupported', 'x', { kind: 'refused' }],
    ['CLOUD_CAPACITY', 'Other', 'x', { kind: 'unknown' }],
  ])('and answered %s %s "%s"', (code, upstream, text, want) =>
    expect(trialOutcome(code, upstream, text)).toMatchObject(want),
  );
  it('tells of profile and licence, and of nothing else', () => {
    const refused = { kind: 'refused', text: 'x', names: 'licences' } as const;
    expect(referencesAfter(UNKNOWN_REFERENCES, { kind: 'ok' })).toMatchObject({
      instanceProfile: 'present',
      licences: 'present',
    });
    expect(referencesAfter(UNKNOWN_REFERENCES, refused)).toEqual({ ...UNKNOWN_REFERENCES, licences: 'gone' });
    expect(referencesAfter(UNKNOWN_REFERENCES, { ...refused, names: null })).toBe(UNKNOWN_REFERENCES);
    expect(referencesAfter(UNKNOWN_REFERENCES, { ...refused, kind: 'denied' })).toBe(UNKNOWN_REFERENCES);
    expect(trialProblems(refused)).toEqual([]);
    expect(trialProblems({ kind: 'ok' })).toEqual([]);
  });
});

describe('what the instance names', () => {
  const placed = (Placement: object) => namedBy(instanceFixture({}, { Placement })).placementGroup;
  it('is a placement group by id, by name, or none', () => {
    expect(placed({ GroupId: 'pg' })).toEqual({ groupId: 'pg', groupName: null });
    expect(placed({ GroupName: 'near' })).toEqual({ groupId: null, groupName: 'near' });
    expect(placed({ GroupName: '' })).toBeNull();
  });
  it('and that is gone is named by the best name there is', () => {
    const gone = { ...UNKNOWN_REFERENCES, placementGroup: 'gone' } as const;
    const found = (Placement: object) =>
      makePlan(planInputFixture({ instance: instanceFixture({}, { Placement }), references: gone }), DEFAULT_POLICY);
    const text = (Placement: object) => {
      const result = found(Placement);
      return result.kind === 'blocked' ? result.problems.map((one) => one.text).join() : '';
    };
    expect(text({ GroupId: 'pg', GroupName: 'near' })).toContain('placement group near,');
    expect(text({ GroupId: 'pg' })).toContain('placement group pg,');
  });
  it('and that is there is no loss', () => {
    const references: References = { ...UNKNOWN_REFERENCES, placementGroup: 'present', keyPair: 'present' };
    const codes = planFixture({ references }).losses.map((one) => one.code);
    expect(codes.filter((code) => /Gone|LeftOut/.test(code))).toEqual([]);
  });
  it('and that is gone is left out of the launch, the rest stays', () => {
    const instance = instanceFixture({ keyName: 'k' }, { Placement: { GroupId: 'pg', Tenancy: 'dedicated' } });
    const base = (gone: Partial<References>) =>
      launchBaseOf({
        input: planInputFixture({ instance, references: { ...UNKNOWN_REFERENCES, ...gone } }),
        policy: DEFAULT_POLICY,
      });
    const whole = base({});
    expect(whole).toMatchObject({ KeyName: 'k', Placement: { GroupId: 'pg', Tenancy: 'dedicated' } });
    const { KeyName: _, ...withoutKey } = whole;
    expect(base({ keyPair: 'gone' })).toEqual(withoutKey);
    expect(base({ placementGroup: 'gone' })).toEqual({
      ...whole,
      Placement: { AvailabilityZone: 'us-east-1a', Tenancy: 'dedicated' },
    });
  });
});

describe('routes', () => {
  const route = (index: number, over: object = {}) => ({
    ...{ routeTableId: 'rtb', destination: `10.${index}.0.0/16`, instanceId: null, networkInterfaceId: null },
    ...over,
  });
  const loss = (routes: References['routes']) =>
    planFixture({ references: { ...UNKNOWN_REFERENCES, routes } }).losses.find((one) => one.code === 'RoutesNotMoved');
  const text = (count: number) => {
    const instance = instanceFixture();
    const routes = Array.from({ length: count }, (_, index) => route(index, { instanceId: instance.instanceId }));
    return loss(routes)?.text ?? '';
  };
  it('are named ten times, and the others counted', () => {
    expect(text(10)).toContain('10.9.0.0/16 in rtb. Replace them');
    expect(text(12)).toContain('10.9.0.0/16 in rtb and 2 more. Replace them');
  });
  it('that lead elsewhere are no news', () => {
    const routes = [route(0, { instanceId: 'i-x' }), route(1, { networkInterfaceId: 'eni-x' }), route(2)];
    expect(loss(routes)).toBeUndefined();
  });
});

describe('the primary interface', () => {
  const own = instanceFixture();
  const [first] = own.networkInterfaces;
  if (!first) throw new Error('fixture without an interface');
  it('is index 0 of card 0, and there may be none', () => {
    const at = (deviceIndex: number, networkCardIndex: number) => ({ ...first, deviceIndex, networkCardIndex });
    expect(primaryInterfaceOf({ ...own, networkInterfaces: [at(0, 1), at(1, 0)] })).toBeNull();
    expect(primaryInterfaceOf({ ...own, networkInterfaces: [at(0, 1), at(0, 0)] })).toEqual(at(0, 0));
  });
  it('is found in EC2’s own words, where a card that is not told is the first', () => {
    const eni = (id: string, Attachment: unknown) => ({ NetworkInterfaceId: id, Attachment });
    const found = (...all: readonly object[]) =>
      rawPrimaryInterfaceOf(instanceFixture({}, { NetworkInterfaces: all }))['NetworkInterfaceId'];
    expect(found(eni('a', { DeviceIndex: 1 }), eni('b', { DeviceIndex: 0 }))).toBe('b');
    expect(
      found(eni('a', { DeviceIndex: 0, NetworkCardIndex: 1 }), eni('b', { DeviceIndex: 0, NetworkCardIndex: 0 })),
    ).toBe('b');
    expect(found(eni('a', undefined))).toBeUndefined();
  });
});

describe('an error whose class and code disagree', () => {
  const of = (code: ErrorCode, upstreamCode?: string) =>
    new OperationError(code, 'x', upstreamCode === undefined ? {} : { upstreamCode });
  it.each<[ErrorCode, string | undefined, string]>([
    ['CLOUD_OUTCOME_UNKNOWN', 'InsufficientInstanceCapacity', 'unknown'],
    ['CLOUD_OUTCOME_UNKNOWN', 'KMSInternalException', 'unknown'],
    ['CLOUD_UNAVAILABLE', 'KMSInternalException', 'transient'],
    ['CLOUD_REJECTED', 'KMSInternalException', 'key'],
    ['CLOUD_THROTTLED', undefined, 'transient'],
    ['CLOUD_UNAVAILABLE', undefined, 'transient'],
    ['CLOUD_THROTTLED', 'InternalError', 'unknown'],
    ['CLOUD_UNAVAILABLE', 'InsufficientInstanceCapacity', 'capacity'],
    ['CLOUD_CONFLICT', 'IdempotentInstanceTerminated', 'launched'],
    ['CLOUD_CONFLICT', 'IdempotentParameterMismatch', 'unknown'],
    ['CLOUD_CONFLICT', 'InvalidSubnet', 'conflict'],
    ['CLOUD_DENIED', 'InvalidSubnet', 'denied'],
    ['CLOUD_CAPACITY', undefined, 'capacity'],
    ['CLOUD_CAPACITY', 'Unsupported', 'candidate'],
    ['CLOUD_NOT_FOUND', undefined, 'lag'],
    ['CLOUD_NOT_FOUND', 'InvalidKeyPair.NotFound', 'key-pair'],
    ['CLOUD_REJECTED', undefined, 'candidate'],
    ['STORE_UNAVAILABLE', 'InvalidSubnet', 'unknown'],
  ])('%s %s: %s', (code, upstream, want) => {
    expect(refusalClassOf(of(code, upstream))).toBe(want);
    expect(madeNothing(of(code, upstream))).toBe(want !== 'unknown' && want !== 'launched');
  });
});

describe('a key that cannot be used', () => {
  const volume = (volumeId: string, kmsKeyId: string | null, encrypted = true) => ({ volumeId, kmsKeyId, encrypted });
  const unusable = { kind: 'unusable', what: 'disabled', remedy: 'Enable it' } as const;
  it('is named with the volumes under it, and no others', () => {
    const volumes = [volume('v1', 'a'), volume('v2', 'b'), volume('v3', 'a'), volume('v4', 'a', false)];
    const [text, ...more] = lockedTexts(volumes, new Map([['a', unusable]]));
    expect(text).toContain('KMS key a of v1, v3 is disabled: ');
    expect(more).toEqual([]);
  });
  it('is told with when it is deleted, where that is known', () => {
    const key = { state: 'PendingDeletion', manager: 'CUSTOMER', deletionAtWallMs: null } as const;
    expect(standingOf('a', key as never)).toMatchObject({ what: 'going to be deleted' });
    expect(standingOf('a', { ...key, deletionAtWallMs: 1_000 } as never)).toMatchObject({
      what: 'going to be deleted at 1970-01-01T00:00:01.000Z',
    });
  });
  it('or that nobody asked about is named in the losses', () => {
    const [text, ...more] = unaskedTexts([volume('v1', 'a'), volume('v2', 'b')], new Map());
    expect(text).toContain('KMS key a, KMS key b was not checked: nobody asked KMS');
    expect(more).toEqual([]);
  });
});

describe('a plan', () => {
  const [own] = planInputFixture().networkInterfaces;
  if (!own) throw new Error('fixture without an interface');
  it('takes the settings of the primary interface, whichever EC2 describes first', () => {
    const other = { ...own, networkInterfaceId: 'eni-x', sourceDestCheck: true, tags: { other: 'x' } };
    const plan = planFixture({ networkInterfaces: [other, own] });
    expect([plan.sourceDestCheck, plan.networkInterfaceTags]).toEqual([false, { Name: 'eni of db one' }]);
  });
  it('is placed in the subnet of the primary interface, also where the instance names none', () =>
    expect(planFixture({ instance: instanceFixture({ subnetId: null }) }).candidates).toMatchObject([
      { subnetId: 'subnet-a' },
    ]));
  it('moves the addresses on the primary private address, and no others', () => {
    const [first] = planInputFixture().addresses;
    if (!first) throw new Error('fixture without an address');
    const second = { ...first, allocationId: 'eipalloc-2', privateIp: '10.0.1.99' };
    expect(planFixture({ addresses: [second, first] }).addresses).toMatchObject([{ allocationId: 'eipalloc-1' }]);
  });
  it('has its disks in order of their devices, whatever order EC2 tells them in', () => {
    const at = (letter: string) => ({
      ...{ deviceName: `/dev/sd${letter}`, volumeId: letter, status: 'attached', deleteOnTermination: false },
    });
    for (const letters of ['fghi', 'ihgf', 'gifh', 'hfig']) {
      const all = [...letters];
      const planned = plannedVolumes(
        { rootDeviceName: '/dev/sdh', volumes: all.map(at) },
        all.map((volumeId) => volumeFixture({ volumeId })),
      );
      expect(planned.map((one) => one.volumeId).join('')).toBe('hfgi');
    }
  });
});
