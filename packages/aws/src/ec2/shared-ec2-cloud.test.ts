import { rawListOf } from '@understudy/shared';
import { SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { SharedEc2Cloud } from './shared-ec2-cloud.ts';

/** Zone by the last letter of an id. */
const zoneOf = (id: string): string => `us-east-1${id.at(-1) ?? ''}`;
const idsIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** A Region that shows whatever it is asked about, 50 ms later. */
function bench() {
  const clock = new SimClock();
  const calls: { readonly action: string; readonly ids: readonly string[] }[] = [];
  const cloud = new SharedEc2Cloud(async (action, input) => {
    const named = idsIn(input['InstanceIds'] ?? input['VolumeIds']);
    const ids = named.length > 0 ? named : rawListOf(input['Filters']).flatMap(({ Values }) => idsIn(Values));
    calls.push({ action, ids });
    await clock.sleep(50);
    const Placement = (id: string) => ({ AvailabilityZone: zoneOf(id) });
    const Instances = ids.map((InstanceId) => ({
      InstanceId,
      State: { Name: 'running' },
      Placement: Placement(InstanceId),
    }));
    switch (action) {
      case 'RunInstances':
        return { Instances: [{ InstanceId: 'i-99a', State: { Name: 'pending' }, Placement: Placement('i-99a') }] };
      case 'DescribeVolumes':
        return { Volumes: ids.map((VolumeId) => ({ VolumeId, State: 'in-use', AvailabilityZone: zoneOf(VolumeId) })) };
      case 'DescribeSnapshots':
        return { Snapshots: ids.map((SnapshotId) => ({ SnapshotId, VolumeId: 'vol-1a', State: 'completed' })) };
      case 'DescribeImages':
        return { Images: ids.map((Name) => ({ ImageId: `ami-${Name}`, Name, State: 'available' })) };
      case 'DescribeInstanceStatus':
        return { InstanceStatuses: ids.map((InstanceId) => ({ InstanceId, InstanceState: { Name: 'running' } })) };
      default:
        return { Reservations: [{ Instances }] };
    }
  }, clock);
  const idsOf = (action: string) => calls.filter((one) => one.action === action).map((one) => one.ids);
  return { clock, calls, cloud, idsOf };
}

const ids = (prefix: string, zone: string, count = 40) =>
  Array.from({ length: count }, (_, at) => `${prefix}-${at}${zone}`);

describe('EC2 as recoveries share it', () => {
  it('asks about a thing of unknown zone alone, and then together with others of its zone', async () => {
    const { clock, cloud, idsOf } = bench();
    const all = [...ids('i', 'a'), ...ids('i', 'b')];
    const lookAtAll = () =>
      clock.runUntilSettled(Promise.all(all.map((id) => cloud.describeInstances({ 'instance-id': [id] }))));
    await lookAtAll();
    expect(idsOf('DescribeInstances')).toHaveLength(80);
    const found = await lookAtAll();
    expect(found.map((one) => one.map(({ instanceId }) => instanceId))).toEqual(all.map((id) => [id]));
    const together = idsOf('DescribeInstances').slice(80);
    expect(together).toHaveLength(10);
    for (const one of together) expect(new Set(one.map(zoneOf)).size).toBe(1);
  });

  it('knows the zone of what it launched', async () => {
    const { clock, cloud } = bench();
    await clock.runUntilSettled(cloud.runInstances({ ClientToken: 't' }));
    await clock.runUntilSettled(cloud.describeInstanceStatus(['i-99a']));
    expect(cloud.readCounts.get('DescribeInstanceStatus')).toEqual({ asked: 1, sent: 1 });
  });

  it('puts volumes together by zone, and snapshots whatever the zone', async () => {
    const { clock, cloud, idsOf } = bench();
    const volumes = [...ids('vol', 'a', 9), ...ids('vol', 'b', 9)];
    for (let turn = 0; turn < 2; turn += 1)
      await clock.runUntilSettled(Promise.all(volumes.map((id) => cloud.describeVolumes({ 'volume-id': [id] }))));
    expect(idsOf('DescribeVolumes').slice(18)).toHaveLength(10);
    const snapshots = ids('snap', '', 90);
    const found = await clock.runUntilSettled(
      Promise.all(snapshots.map((id) => cloud.describeSnapshots({ 'snapshot-id': [id] }))),
    );
    expect(found.map(([one]) => one?.snapshotId)).toEqual(snapshots);
    expect(idsOf('DescribeSnapshots')).toHaveLength(5);
  });

  it('puts looks for images by name together, and asks about a pattern alone', async () => {
    const { clock, cloud, idsOf } = bench();
    const names = ids('understudy', '', 90);
    const found = await clock.runUntilSettled(Promise.all(names.map((name) => cloud.describeImages({ name: [name] }))));
    expect(found.map(([one]) => one?.name)).toEqual(names);
    expect(idsOf('DescribeImages')).toHaveLength(5);
    await clock.runUntilSettled(
      Promise.all([cloud.describeImages({ name: ['u*'] }), cloud.describeImages({ name: ['u?'] })]),
    );
    expect(idsOf('DescribeImages').slice(5)).toEqual([['u*'], ['u?']]);
    expect(cloud.readCounts.get('DescribeImages')).toEqual({ asked: 90, sent: 5 });
  });

  it('leaves a read with other filters as it is', async () => {
    const { clock, cloud } = bench();
    await clock.runUntilSettled(cloud.describeInstances({ 'client-token': ['t'] }));
    await clock.runUntilSettled(
      cloud.describeSnapshots({ 'snapshot-id': ['s-1'], status: ['completed'] }).catch(() => []),
    );
    expect([...cloud.readCounts.values()].every(({ asked }) => asked === 0)).toBe(true);
  });
});
