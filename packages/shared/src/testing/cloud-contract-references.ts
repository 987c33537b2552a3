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
