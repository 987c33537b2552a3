import { describe, expect, it } from 'vitest';
import { listAll, portionsOf } from './describe-pages.ts';
import { Ec2Cloud } from './ec2-cloud.ts';

type Sent = { readonly action: string; readonly input: Record<string, unknown> };
type Answer = Record<string, unknown> | Error;

/** Gives the answers in order, and the last one for all further calls. */
function cloudOf(...answers: Answer[]) {
  const sent: Sent[] = [];
  const cloud = new Ec2Cloud((action, input) => {
    sent.push({ action, input });
    const answer = answers[Math.min(sent.length, answers.length) - 1] ?? {};
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  return { cloud, sent };
}
const refusal = (name: string): Error =>
  Object.assign(new Error(name), { name, $fault: 'client', $metadata: { httpStatusCode: 400 } });

describe('describes', () => {
  it('follow the pages to the end, with filters and a page size', async () => {
    const page = (id: string, next?: string) => ({ Volumes: [{ VolumeId: id }], ...(next ? { NextToken: next } : {}) });
    const { cloud, sent } = cloudOf(page('vol-1', 'more'), page('vol-2'));
    const volumes = await cloud.describeVolumes({ 'tag:a': ['b'] });
    expect(volumes.map((volume) => volume.volumeId)).toEqual(['vol-1', 'vol-2']);
    const Filters = [{ Name: 'tag:a', Values: ['b'] }];
    expect(sent.map(({ input }) => input)).toEqual([
      { Filters, MaxResults: 500 },
      { Filters, MaxResults: 500, NextToken: 'more' },
    ]);
  });

  it('name what is asked for by id alone, each once and filtered too, so that an impaired zone elsewhere does not matter', async () => {
    const { cloud, sent } = cloudOf({ Reservations: [], Volumes: [], NetworkInterfaces: [] });
    await cloud.describeInstances({ 'instance-id': ['i-1', 'i-2', 'i-1'] });
    await cloud.describeInstances({ 'instance-id': ['i-1'], 'tag-key': ['a'] });
    await cloud.describeVolumes({ 'volume-id': ['vol-1'] });
    await cloud.describeNetworkInterfaces({ 'network-interface-id': ['eni-1'] });
    const filter = (Name: string, Values: string[]) => ({ Name, Values });
    expect(sent.map(({ input }) => input)).toEqual([
      { InstanceIds: ['i-1', 'i-2'], Filters: [filter('instance-id', ['i-1', 'i-2'])] },
      { Filters: [filter('instance-id', ['i-1']), filter('tag-key', ['a'])], MaxResults: 500 },
      { VolumeIds: ['vol-1'], Filters: [filter('volume-id', ['vol-1'])] },
      { NetworkInterfaceIds: ['eni-1'], Filters: [filter('network-interface-id', ['eni-1'])] },
    ]);
  });

  it.each([
    ['says which', 2],
    ['does not say which', 9],
  ])('leave out ids that EC2 does not know, when it %s', async (saying, callsMax) => {
    const unknown = new Set(['i-0a', 'i-0b']);
    let calls = 0;
    const cloud = new Ec2Cloud((_, input) => {
      calls++;
      const ids = input.InstanceIds as string[];
      const missing = ids.filter((id) => unknown.has(id)).join(', ');
      const text = saying === 'says which' ? `The instance IDs '${missing}' do not exist` : 'no';
      if (missing !== '')
        return Promise.reject(Object.assign(refusal('InvalidInstanceID.NotFound'), { message: text }));
      return Promise.resolve({ Reservations: [{ Instances: ids.map((InstanceId) => ({ InstanceId })) }] });
    });
    const found = await cloud.describeInstances({ 'instance-id': ['i-01', 'i-0a', 'i-02', 'i-0b', 'i-03'] });
    expect(found.map((one) => one.instanceId)).toEqual(['i-01', 'i-02', 'i-03']);
    expect(calls).toBeLessThanOrEqual(callsMax);
    expect(await cloud.describeInstances({ 'instance-id': ['i-0a'] })).toEqual([]);
  });

  it('end a listing that never ends', async () => {
    const listing = { action: 'DescribeVolumes', list: 'Volumes', paginated: true };
    let calls = 0;
    const endless = () => Promise.resolve({ Volumes: [], NextToken: `t${++calls}` });
    await expect(listAll(endless, listing, {})).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    expect(calls).toBe(1000);
  });

  it('send nothing for a filter without values, which EC2 would not take for "none"', async () => {
    const { cloud, sent } = cloudOf({ Volumes: [{ VolumeId: 'vol-1' }] });
    expect(await cloud.describeVolumes({ 'volume-id': [] })).toEqual([]);
    expect(sent).toEqual([]);
  });

  it('ask for more than 200 values in portions, each value once', () => {
    const ids = Array.from({ length: 401 }, (_, i) => `i-${i}`);
    const portions = portionsOf({ 'instance-id': [...ids, 'i-0'], 'instance-state-name': ['running'] });
    expect(portions.map((portion) => portion['instance-id']?.length)).toEqual([200, 200, 1]);
    expect(portions.flatMap((portion) => portion['instance-id'])).toEqual(ids);
    expect(portions.every((portion) => portion['instance-state-name']?.[0] === 'running')).toBe(true);
  });

  it('look for images by name only among our own, by id among all', async () => {
    const { cloud, sent } = cloudOf({ Images: [] });
    await cloud.describeImages({ name: ['understudy-op-1'] });
    await cloud.describeImages({ 'image-id': ['ami-1'] });
    expect(sent.map(({ input }) => input.Owners)).toEqual([['self'], undefined]);
  });

  it('ask for status again in halves when one instance is unknown', async () => {
    const known = new Set(['i-1', 'i-2', 'i-4']);
    let calls = 0;
    const cloud = new Ec2Cloud((_, input) => {
      calls++;
      const ids = input.InstanceIds as string[];
      if (ids.some((id) => !known.has(id))) return Promise.reject(refusal('InvalidInstanceID.NotFound'));
      return Promise.resolve({
        InstanceStatuses: ids.map((id) => ({ InstanceId: id, SystemStatus: { Status: 'ok' } })),
      });
    });
    const found = await cloud.describeInstanceStatus(['i-1', 'i-2', 'i-3', 'i-4']);
    expect(found.map((status) => status.instanceId)).toEqual(['i-1', 'i-2', 'i-4']);
    expect(calls).toBe(5);
  });
});

describe('an answer is not trusted', () => {
  it.each([
    ['an empty list', { Reservations: [] }],
    ['a list full of holes', { Reservations: [null, 7, {}, { Instances: [{}, { InstanceId: 9 }] }] }],
  ])('%s: no instance', async (_, answer) => {
    expect(await cloudOf(answer).cloud.describeInstances({})).toEqual([]);
  });

  const LISTINGS: readonly (readonly [string, (cloud: Ec2Cloud) => Promise<unknown>])[] = [
    ['Reservations', (cloud) => cloud.describeInstances({})],
    ['Reservations', (cloud) => cloud.describeInstances({ 'instance-id': ['i-1'] })],
    ['Tags', (cloud) => cloud.describeInstanceTags(['a'])],
    ['InstanceStatuses', (cloud) => cloud.describeInstanceStatus(['i-1'])],
    ['Volumes', (cloud) => cloud.describeVolumes({})],
    ['Snapshots', (cloud) => cloud.describeSnapshots({})],
    ['Images', (cloud) => cloud.describeImages({})],
    ['NetworkInterfaces', (cloud) => cloud.describeNetworkInterfaces({ 'network-interface-id': ['eni-1'] })],
    ['Addresses', (cloud) => cloud.describeAddresses({})],
    ['Subnets', (cloud) => cloud.describeSubnets({})],
    ['InstanceTypes', (cloud) => cloud.describeInstanceTypes(['t3.micro'])],
    ['InstanceCreditSpecifications', (cloud) => cloud.describeCpuCredits('i-1')],
    ['PlacementGroups', (cloud) => cloud.hasPlacementGroup({ groupId: 'pg-1', groupName: null })],
    ['CapacityReservations', (cloud) => cloud.describeCapacityReservation('cr-1')],
    ['KeyPairs', (cloud) => cloud.hasKeyPair('k')],
    ['RouteTables', (cloud) => cloud.describeRoutes('vpc-1')],
  ];
  it.each(LISTINGS)('without %s it says nothing, least of all that there is nothing', async (member, read) => {
    for (const answer of [{}, { [member]: 'none' }, { Somebody: [] }])
      await expect(read(cloudOf(answer).cloud)).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    await expect(read(cloudOf({ [member]: [] }).cloud)).resolves.toBeDefined();
  });

  it('a page in the middle that is not EC2’s spoils the listing', async () => {
    const { cloud } = cloudOf({ Volumes: [{ VolumeId: 'vol-1' }], NextToken: 'more' }, {});
    await expect(cloud.describeVolumes({})).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
  });

  const BY_ID: readonly (readonly [string, object, (cloud: Ec2Cloud) => Promise<unknown>])[] = [
    [
      'instances',
      { Reservations: [{ Instances: [{ InstanceId: 'i-2' }] }] },
      (cloud) => cloud.describeInstances({ 'instance-id': ['i-1'] }),
    ],
    ['statuses', { InstanceStatuses: [{ InstanceId: 'i-2' }] }, (cloud) => cloud.describeInstanceStatus(['i-1'])],
    ['volumes', { Volumes: [{ VolumeId: 'vol-2' }] }, (cloud) => cloud.describeVolumes({ 'volume-id': ['vol-1'] })],
    [
      'snapshots',
      { Snapshots: [{ SnapshotId: 'snap-2' }] },
      (cloud) => cloud.describeSnapshots({ 'snapshot-id': ['snap-1'] }),
    ],
    ['images', { Images: [{ ImageId: 'ami-2' }] }, (cloud) => cloud.describeImages({ 'image-id': ['ami-1'] })],
    [
      'interfaces',
      { NetworkInterfaces: [{ NetworkInterfaceId: 'eni-2' }] },
      (cloud) => cloud.describeNetworkInterfaces({ 'network-interface-id': ['eni-1'] }),
    ],
    [
      'addresses',
      { Addresses: [{ AllocationId: 'a-2' }] },
      (cloud) => cloud.describeAddresses({ 'allocation-id': ['a-1'] }),
    ],
    ['subnets', { Subnets: [{ SubnetId: 's-2' }] }, (cloud) => cloud.describeSubnets({ 'subnet-id': ['s-1'] })],
  ];
  it.each(BY_ID)('%s that were not asked for are the answer to another request', async (_, answer, read) => {
    await expect(read(cloudOf({ ...answer }).cloud)).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    const own = JSON.parse(JSON.stringify(answer).replaceAll('-2"', '-1"')) as Record<string, unknown>;
    expect(await read(cloudOf(own).cloud)).toHaveLength(1);
  });

  const ABOUT_ONE: readonly (readonly [string, (cloud: Ec2Cloud) => Promise<unknown>])[] = [
    ['user data', (cloud) => cloud.describeUserData('i-1')],
    ['protection', (cloud) => cloud.describeProtection('i-1')],
    ['shutdown behaviour', (cloud) => cloud.describeShutdownBehavior('i-1')],
    ['console output', (cloud) => cloud.consoleOutput('i-1')],
  ];
  it.each(ABOUT_ONE)('%s is believed of the instance it is about only', async (_, read) => {
    for (const answer of [{}, { InstanceId: 'i-2' }])
      await expect(read(cloudOf(answer).cloud)).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    await expect(read(cloudOf({ InstanceId: 'i-1' }).cloud)).resolves.not.toBeUndefined();
  });

  it('a stop or a termination counts only when EC2 names the instance', async () => {
    for (const answer of [{}, { StoppingInstances: [], TerminatingInstances: [] }]) {
      const stop = cloudOf(answer).cloud.stopInstance('i-1', { force: true, skipOsShutdown: true });
      await expect(stop).rejects.toMatchObject({ code: 'CLOUD_OUTCOME_UNKNOWN' });
      const end = cloudOf(answer).cloud.terminateInstance('i-1');
      await expect(end).rejects.toMatchObject({ code: 'CLOUD_OUTCOME_UNKNOWN' });
    }
    const own = { StoppingInstances: [{ InstanceId: 'i-1' }], TerminatingInstances: [{ InstanceId: 'i-1' }] };
    await cloudOf(own).cloud.stopInstance('i-1', { force: true, skipOsShutdown: true });
    await cloudOf(own).cloud.terminateInstance('i-1');
  });

  it('an unknown state proves no fence and serves nobody', async () => {
    const answer = { Reservations: [{ Instances: [{ InstanceId: 'i-1', State: { Name: 'hibernated', Code: 80 } }] }] };
    const [instance] = await cloudOf(answer).cloud.describeInstances({});
    expect(instance?.state).toBe('pending');
  });

  it('an unknown check is no evidence, an absent EBS check not applicable', async () => {
    const answer = { InstanceStatuses: [{ InstanceId: 'i-1', SystemStatus: { Status: 'meh' }, InstanceStatus: {} }] };
    const [status] = await cloudOf(answer).cloud.describeInstanceStatus(['i-1']);
    expect(status).toMatchObject({
      system: 'insufficient-data',
      instance: 'insufficient-data',
      attachedEbs: 'not-applicable',
    });
  });

  it('an unknown snapshot state is not completed', async () => {
    const answer = { Snapshots: [{ SnapshotId: 'snap-1', State: 'shiny', Progress: '140%' }] };
    const [snapshot] = await cloudOf(answer).cloud.describeSnapshots({});
    expect(snapshot).toMatchObject({ state: 'pending', progressPercent: 100 });
  });

  it('an interface without a device index is not the primary one', async () => {
    const answer = {
      Reservations: [{ Instances: [{ InstanceId: 'i-1', NetworkInterfaces: [{ NetworkInterfaceId: 'eni-1' }] }] }],
    };
    const [instance] = await cloudOf(answer).cloud.describeInstances({});
    expect(instance?.networkInterfaces[0]?.deviceIndex).toBe(-1);
  });

  it('a launch without an instance in the answer has an unknown outcome', async () => {
    const { cloud } = cloudOf({ Instances: [] });
    await expect(cloud.runInstances({ ClientToken: 't' })).rejects.toMatchObject({ code: 'CLOUD_OUTCOME_UNKNOWN' });
  });
});

describe('mutating calls', () => {
  it('send a launch exactly as recorded', async () => {
    const { cloud, sent } = cloudOf({ Instances: [{ InstanceId: 'i-1' }] });
    const request = { ClientToken: 't', MinCount: 1, MaxCount: 1, Whatever: { Nested: [1] } };
    await cloud.runInstances(request);
    expect(sent).toEqual([{ action: 'RunInstances', input: request }]);
  });

  it('never take an address away from another', async () => {
    const { cloud, sent } = cloudOf({ AssociationId: 'eipassoc-2' });
    await cloud.associateAddress({ allocationId: 'eipalloc-1', networkInterfaceId: 'eni-1', privateIp: null });
    expect(sent[0]?.input).toEqual({
      AllocationId: 'eipalloc-1',
      NetworkInterfaceId: 'eni-1',
      AllowReassociation: false,
    });
  });

  it('take an association that is gone for a success, and nothing else', async () => {
    await expect(
      cloudOf(refusal('InvalidAssociationID.NotFound')).cloud.disassociateAddress('a'),
    ).resolves.toBeUndefined();
    await expect(cloudOf(refusal('AuthFailure')).cloud.disassociateAddress('a')).rejects.toMatchObject({
      code: 'CLOUD_DENIED',
    });
  });
});
