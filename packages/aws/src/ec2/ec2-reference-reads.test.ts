import { OperationError } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { Ec2Cloud } from './ec2-cloud.ts';

/** A cloud that answers with `answer`, and the calls it got. */
function cloudOf(answer: Record<string, unknown> | OperationError) {
  const sent: { action: string; input: Record<string, unknown> }[] = [];
  const cloud = new Ec2Cloud(async (action, input) => {
    sent.push({ action, input });
    if (answer instanceof OperationError) throw answer;
    return answer;
  });
  return { cloud, sent };
}

describe('what a launch names', () => {
  it('is compared as it is: a filter of EC2 takes wildcards', async () => {
    const { cloud, sent } = cloudOf({ KeyPairs: [{ KeyName: 'ops-2' }] });
    expect(await cloud.hasKeyPair('ops*')).toBe(false);
    expect(sent[0]).toEqual({
      action: 'DescribeKeyPairs',
      input: { Filters: [{ Name: 'key-name', Values: ['ops*'] }] },
    });
  });

  it('is not there when it is unknown, or being deleted', async () => {
    const group = { groupId: 'pg-1', groupName: 'near' };
    const deleting = cloudOf({ PlacementGroups: [{ GroupId: 'pg-1', State: 'deleting' }] });
    expect(await deleting.cloud.hasPlacementGroup(group)).toBe(false);
    const unknown = cloudOf(
      new OperationError('CLOUD_NOT_FOUND', 'x', { upstreamCode: 'InvalidPlacementGroup.Unknown' }),
    );
    expect(await unknown.cloud.hasPlacementGroup(group)).toBe(false);
    const there = cloudOf({ PlacementGroups: [{ GroupId: 'pg-1', State: 'available' }] });
    expect(await there.cloud.hasPlacementGroup(group)).toBe(true);
    expect(there.sent[0]?.input).toEqual({ GroupIds: ['pg-1'] });
  });

  it('is not known when EC2 denies the question', async () => {
    const denied = cloudOf(new OperationError('CLOUD_DENIED', 'x', { upstreamCode: 'UnauthorizedOperation' }));
    await expect(denied.cloud.describeCapacityReservation('cr-1')).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });
});

it('routes are told that lead to instances and interfaces, whatever their destination is', async () => {
  const Routes = [
    { DestinationCidrBlock: '10.0.0.0/8', GatewayId: 'local' },
    { DestinationPrefixListId: 'pl-1', NetworkInterfaceId: 'eni-1' },
    { DestinationIpv6CidrBlock: '::/0', InstanceId: 'i-1', NetworkInterfaceId: 'eni-2' },
  ];
  const { cloud } = cloudOf({ RouteTables: [{ RouteTableId: 'rtb-1', Routes }] });
  expect(await cloud.describeRoutes('vpc-1')).toEqual([
    { routeTableId: 'rtb-1', destination: 'pl-1', instanceId: null, networkInterfaceId: 'eni-1' },
    { routeTableId: 'rtb-1', destination: '::/0', instanceId: 'i-1', networkInterfaceId: 'eni-2' },
  ]);
});

describe('a launch that is only tried', () => {
  it('is always sent with DryRun, whatever the request says, and DryRunOperation is a yes', async () => {
    const yes = new OperationError('CLOUD_REJECTED', 'x', { upstreamCode: 'DryRunOperation' });
    const { cloud, sent } = cloudOf(yes);
    await cloud.tryLaunch({ ImageId: 'ami-1', DryRun: false });
    expect(sent).toEqual([{ action: 'RunInstances', input: { ImageId: 'ami-1', DryRun: true } }]);
  });

  it('is never tried again on an EC2 that launches it all the same, which is told with the instance', async () => {
    const { cloud, sent } = cloudOf({ Instances: [{ InstanceId: 'i-1' }] });
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(cloud.tryLaunch({})).rejects.toMatchObject({ code: 'CLOUD_REJECTED', message: /made i-1/ });
    expect(sent).toHaveLength(1);
  });
});
