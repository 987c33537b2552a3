import { strict as assert } from 'node:assert';
import { isOperationError } from '../errors.ts';
import type { CloudContractCase } from './cloud-contract-case.ts';

/** The part of {@link CLOUD_CONTRACT} about what is asked before a launch. */
export const REFERENCES: readonly CloudContractCase[] = [
  {
    name: 'an instance type is told with what it takes, and where it is sold; one that EC2 does not know is left out',
    async run(f) {
      const found = await f.cloud.describeInstanceTypes([f.instanceType, 'm5.nothing']);
      assert.deepEqual(
        found.map((one) => one.instanceType),
        [f.instanceType],
      );
      const [type] = found;
      assert.ok(type && type.architectures.length > 0 && type.virtualizationTypes.includes('hvm'));
      assert.ok(type.bootModes.length > 0 && (type.maxAttachments ?? 0) > 0 && (type.defaultCores ?? 0) > 0);
      const zones = (await f.cloud.describeTypeOfferings([f.instanceType, 'm5.nothing'])).map((one) => one.az);
      assert.deepEqual(zones.sort(), f.subnets.map((subnet) => subnet.az).sort());
    },
  },
  {
    name: 'what does not exist is told as such, not as an error',
    async run(f) {
      assert.equal(await f.cloud.hasKeyPair('nobody'), false);
      assert.equal(await f.cloud.hasPlacementGroup({ groupId: null, groupName: 'nowhere' }), false);
      assert.equal(await f.cloud.hasPlacementGroup({ groupId: 'pg-0123456789abcdef0', groupName: null }), false);
      assert.equal(await f.cloud.describeCapacityReservation('cr-0123456789abcdef0'), null);
      assert.deepEqual(await f.cloud.describeRoutes('vpc-0123456789abcdef0'), []);
    },
  },
  {
    name: 'a place that is reserved is one by its token, is found by its tags, and is given back once',
    async run(f) {
      const [subnet] = f.subnets;
      assert.ok(subnet);
      const request = {
        ...{ clientToken: 'reserve-1', instanceType: f.instanceType, platform: 'Linux/UNIX', az: subnet.az },
        tenancy: 'default' as const,
        ...{ endsAtWallMs: f.clock.wallMs() + 3_600_000, tags: { 'understudy:op': 'reserved' } },
      };
      const made = await f.cloud.createCapacityReservation(request);
      assert.deepEqual(
        [made.state, made.az, made.instanceType, made.available],
        ['active', subnet.az, f.instanceType, 1],
      );
      const again = await f.cloud.createCapacityReservation(request);
      assert.equal(again.reservationId, made.reservationId);
      await f.clock.sleep(30_000);
      const mine = async () => f.cloud.describeCapacityReservations({ 'tag:understudy:op': ['reserved'] });
      assert.deepEqual(
        (await mine()).map((one) => one.reservationId),
        [made.reservationId],
      );
      await f.cloud.cancelCapacityReservation(made.reservationId);
      await f.clock.sleep(30_000);
      assert.deepEqual(
        (await mine()).filter((one) => one.state === 'active'),
        [],
      );
      await assert.rejects(f.cloud.cancelCapacityReservation(made.reservationId), (error) => {
        assert.ok(isOperationError(error));
        return error.code === 'CLOUD_REJECTED';
      });
    },
  },
  {
    name: 'a place is refused that has no platform of EC2, or that has ended already',
    async run(f) {
      const [subnet] = f.subnets;
      assert.ok(subnet);
      const request = {
        ...{ clientToken: 'reserve-2', instanceType: f.instanceType, platform: 'Linux/UNIX', az: subnet.az },
        tenancy: 'default' as const,
        ...{ endsAtWallMs: f.clock.wallMs() + 3_600_000, tags: { 'understudy:op': 'refused' } },
      };
      const wrong = [{ platform: 'Linux' }, { endsAtWallMs: f.clock.wallMs() - 1_000 }, { az: 'nowhere-1a' }];
      for (const change of wrong)
        await assert.rejects(f.cloud.createCapacityReservation({ ...request, ...change }), isOperationError);
    },
  },
  {
    name: 'a launch that is tried launches nothing, and is refused as it would be in earnest',
    async run(f) {
      const [subnet] = f.subnets;
      assert.ok(subnet);
      const Tags = [{ Key: 'understudy:op', Value: 'tried' }];
      const request = {
        ...{ MinCount: 1, MaxCount: 1, ImageId: f.imageId, InstanceType: f.instanceType, SubnetId: subnet.subnetId },
        TagSpecifications: ['instance', 'volume'].map((type) => ({ ResourceType: type, Tags })),
      };
      await f.cloud.tryLaunch(request);
      await assert.rejects(f.cloud.tryLaunch({ ...request, KeyName: 'nobody' }), (error) => {
        assert.ok(isOperationError(error));
        return error.upstreamCode === 'InvalidKeyPair.NotFound';
      });
      await f.clock.sleep(30_000);
      assert.deepEqual(await f.cloud.describeInstances({ 'tag:understudy:op': ['tried'] }), []);
    },
  },
];
