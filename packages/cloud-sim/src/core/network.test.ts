import { describe, expect, test } from 'vitest';
import { seedInstance } from '../seed-instance.ts';
import { launch, testRegion, subnetOf } from './region.fixtures.ts';

describe('Elastic IPs', () => {
  test('AllowReassociation false is compare-and-set', async () => {
    const one = testRegion();
    const [old, heir] = [seedInstance(one.sim, { elasticIp: true }), seedInstance(one.sim, { az: 'us-east-1b' })];
    const input = {
      AllocationId: old.allocationId,
      NetworkInterfaceId: heir.networkInterfaceId,
      AllowReassociation: false,
    };
    expect((await one.refused('AssociateAddress', input)).name).toBe('Resource.AlreadyAssociated');
    await one.ok('DisassociateAddress', { AssociationId: old.associationId });
    await one.ok('AssociateAddress', input);
    expect((await one.refused('AssociateAddress', input)).name).toBe('Resource.AlreadyAssociated');
    const late = await one.refused('DisassociateAddress', { AssociationId: old.associationId });
    expect(late.name).toBe('InvalidAssociationID.NotFound');
    expect(one.sim.core.region.addresses.get(old.allocationId ?? '')?.networkInterfaceId).toBe(heir.networkInterfaceId);
  });

  test('cannot go to an instance that is still pending', async () => {
    const one = testRegion({ latency: { 'instance.pending': [60_000, 60_000] } });
    const id = await launch(one);
    const { AllocationId } = one.sim.seed('AllocateAddress', {});
    expect((await one.refused('AssociateAddress', { AllocationId, InstanceId: id })).name).toBe(
      'IncorrectInstanceState',
    );
  });

  test('one that is associated cannot be released', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim, { elasticIp: true });
    expect((await one.refused('ReleaseAddress', { AllocationId: db.allocationId })).name).toBe(
      'InvalidIPAddress.InUse',
    );
    await one.ok('DisassociateAddress', { AssociationId: db.associationId });
    await one.ok('ReleaseAddress', { AllocationId: db.allocationId });
  });
});

describe('interfaces', () => {
  test('the primary one cannot be detached; kept at termination it is free with its address', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const attachment = one.sim.core.region.networkInterfaces.get(db.networkInterfaceId)?.attachment;
    const AttachmentId = attachment?.attachmentId;
    expect((await one.refused('DetachNetworkInterface', { AttachmentId })).name).toBe('OperationNotPermitted');
    await one.ok('ModifyNetworkInterfaceAttribute', {
      NetworkInterfaceId: db.networkInterfaceId,
      Attachment: { AttachmentId, DeleteOnTermination: false },
    });
    const same = { SubnetId: db.subnetId, PrivateIpAddress: db.privateIp };
    expect((await one.refused('CreateNetworkInterface', same)).name).toBe('InvalidIPAddress.InUse');
    await one.ok('TerminateInstances', { InstanceIds: [db.instanceId] });
    await one.clock.advance(120_000);
    expect((await one.refused('CreateNetworkInterface', same)).name).toBe('InvalidIPAddress.InUse');
    const heir = await launch(one, {
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: db.networkInterfaceId }],
    });
    expect(await one.ok('DescribeInstances', { InstanceIds: [heir] })).toMatchObject({
      Reservations: [{ Instances: [{ PrivateIpAddress: db.privateIp }] }],
    });
  });

  test('a deleted one gives its address back', async () => {
    const one = testRegion();
    const input = { SubnetId: subnetOf(one, 'a'), PrivateIpAddress: '172.31.0.77' };
    const { NetworkInterface } = await one.ok<{ NetworkInterface: { NetworkInterfaceId: string } }>(
      'CreateNetworkInterface',
      input,
    );
    await one.ok('DeleteNetworkInterface', { NetworkInterfaceId: NetworkInterface.NetworkInterfaceId });
    await one.ok('CreateNetworkInterface', input);
  });

  test('a secondary one moves between instances, through available', async () => {
    const one = testRegion();
    const [from, to] = [seedInstance(one.sim), seedInstance(one.sim)];
    const made = one.sim.seed('CreateNetworkInterface', { SubnetId: from.subnetId }) as {
      NetworkInterface: { NetworkInterfaceId: string };
    };
    const { NetworkInterfaceId } = made.NetworkInterface;
    const attach = { NetworkInterfaceId, DeviceIndex: 1 };
    const { AttachmentId } = await one.ok('AttachNetworkInterface', { ...attach, InstanceId: from.instanceId });
    await one.ok('DetachNetworkInterface', { AttachmentId });
    const early = await one.refused('AttachNetworkInterface', { ...attach, InstanceId: to.instanceId });
    expect(early.name).toBe('InvalidNetworkInterface.InUse');
    await one.clock.advance(10_000);
    await one.ok('AttachNetworkInterface', { ...attach, InstanceId: to.instanceId });
    expect(one.sim.core.region.instances.get(from.instanceId)?.networkInterfaceIds).toHaveLength(1);
  });
});

describe('tags', () => {
  test('are written to anything, overwritten, removed, and bounded', async () => {
    const one = testRegion();
    const db = seedInstance(one.sim);
    const Resources = [db.instanceId, db.networkInterfaceId, db.volumeIds['/dev/xvda']];
    await one.ok('CreateTags', { Resources, Tags: [{ Key: 'k', Value: '1' }] });
    await one.ok('CreateTags', { Resources, Tags: [{ Key: 'k', Value: '2' }] });
    const found = await one.ok<{ Tags: object[] }>('DescribeTags', { Filters: [{ Name: 'key', Values: ['k'] }] });
    expect(found.Tags).toHaveLength(3);
    expect(found.Tags).toContainEqual({ Key: 'k', Value: '2', ResourceId: db.instanceId, ResourceType: 'instance' });
    await one.ok('DeleteTags', { Resources, Tags: [{ Key: 'k', Value: 'other' }] });
    await one.ok('DeleteTags', { Resources: [db.instanceId], Tags: [{ Key: 'k' }] });
    const left = await one.ok<{ Tags: object[] }>('DescribeTags', { Filters: [{ Name: 'key', Values: ['k'] }] });
    expect(left.Tags).toHaveLength(2);
    const many = Array.from({ length: 60 }, (_, i) => ({ Key: `t${i}`, Value: '' }));
    expect((await one.refused('CreateTags', { Resources, Tags: many })).name).toBe('TagLimitExceeded');
    const reserved = { Resources, Tags: [{ Key: 'aws:mine', Value: '' }] };
    expect((await one.refused('CreateTags', reserved)).name).toBe('InvalidParameterValue');
  });
});

describe('pages and filters', () => {
  test('pages neither lose nor repeat while instances come and go', async () => {
    const one = testRegion();
    const ids = Array.from({ length: 23 }, () => seedInstance(one.sim).instanceId);
    const seen: string[] = [];
    let NextToken: string | undefined;
    let pages = 0;
    do {
      const page = await one.ok<{ NextToken?: string; Reservations: { Instances: { InstanceId: string }[] }[] }>(
        'DescribeInstances',
        { MaxResults: 5, ...(NextToken !== undefined && { NextToken }) },
      );
      seen.push(...page.Reservations.flatMap((r) => r.Instances.map((i) => i.InstanceId)));
      ({ NextToken } = page);
      pages++;
      seedInstance(one.sim);
    } while (NextToken !== undefined);
    expect(pages).toBeGreaterThanOrEqual(5);
    expect(new Set(seen).size).toBe(seen.length);
    expect(ids.filter((id) => !seen.includes(id))).toEqual([]);
  });

  test('a page size below five, ids with a page size, a foreign token and an unknown filter are refused', async () => {
    const one = testRegion();
    const { instanceId } = seedInstance(one.sim);
    const nameOf = async (input: Record<string, unknown>) => (await one.refused('DescribeInstances', input)).name;
    expect(await nameOf({ MaxResults: 4 })).toBe('InvalidParameterValue');
    expect(await nameOf({ MaxResults: 5, InstanceIds: [instanceId] })).toBe('InvalidParameterCombination');
    expect(await nameOf({ MaxResults: 5, NextToken: 'bm9uc2Vuc2U=' })).toBe('InvalidPaginationToken');
    expect(await nameOf({ MaxResults: 5, NextToken: '%%%' })).toBe('InvalidPaginationToken');
    expect(await nameOf({ Filters: [{ Name: 'colour', Values: ['red'] }] })).toBe('InvalidParameterValue');
  });

  test('filters are joined by and, values by or, with wildcards', async () => {
    const one = testRegion();
    const a = seedInstance(one.sim, { member: 'db/one' });
    seedInstance(one.sim, { member: 'web/one', az: 'us-east-1b' });
    const find = async (...Filters: { Name: string; Values: string[] }[]) => {
      const { Reservations } = await one.ok<{ Reservations: { Instances: { InstanceId: string }[] }[] }>(
        'DescribeInstances',
        { Filters, MaxResults: 5 },
      );
      return Reservations.flatMap((r) => r.Instances.map((i) => i.InstanceId));
    };
    expect(await find({ Name: 'tag-key', Values: ['understudy:group'] })).toHaveLength(2);
    expect(await find({ Name: 'tag:understudy:group', Values: ['d?', 'w*'] })).toHaveLength(2);
    expect(
      await find(
        { Name: 'tag:understudy:member', Values: ['one'] },
        { Name: 'availability-zone', Values: ['us-east-1a'] },
      ),
    ).toEqual([a.instanceId]);
  });
});
