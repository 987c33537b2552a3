import { strict as assert } from 'node:assert';
import { TAG } from '../member-id.ts';
import type { CloudContractCase } from './cloud-contract-case.ts';
import { MOVES } from './cloud-contract-moves.ts';
import { REFERENCES } from './cloud-contract-references.ts';
import {
  capture,
  eventually,
  inState,
  launch,
  launchRequest,
  makePermit,
  patiently,
  refused,
} from './cloud-contract-steps.ts';
import { VOLUMES } from './cloud-contract-volumes.ts';

const READS: readonly CloudContractCase[] = [
  {
    name: 'an id that EC2 does not know is an empty list, not an error',
    async run(f) {
      const { cloud } = f;
      assert.deepEqual(await cloud.describeInstances({ 'instance-id': ['i-0123456789abcdef0'] }), []);
      assert.deepEqual(await cloud.describeInstanceStatus(['i-0123456789abcdef0']), []);
      assert.deepEqual(await cloud.describeVolumes({ 'volume-id': ['vol-0123456789abcdef0'] }), []);
      assert.deepEqual(await cloud.describeSnapshots({ 'snapshot-id': ['snap-0123456789abcdef0'] }), []);
      assert.deepEqual(await cloud.describeImages({ 'image-id': ['ami-0123456789abcdef0'] }), []);
      const eni = { 'network-interface-id': ['eni-0123456789abcdef0'] };
      assert.deepEqual(await cloud.describeNetworkInterfaces(eni), []);
      assert.deepEqual(await cloud.describeAddresses({ 'allocation-id': ['eipalloc-0123456789abcdef0'] }), []);
      assert.deepEqual(await cloud.describeSubnets({ 'subnet-id': ['subnet-0123456789abcdef0'] }), []);
    },
  },
  {
    name: 'ids that EC2 does not know are left out, the others are told',
    async run(f) {
      const { instanceId, volumes } = await launch(f, 'mixed');
      const ids = ['i-0123456789abcdef0', instanceId, 'i-0123456789abcdef1'];
      const found = await f.cloud.describeInstances({ 'instance-id': ids });
      assert.deepEqual(
        found.map((one) => one.instanceId),
        [instanceId],
      );
      const volumeIds = ['vol-0123456789abcdef0', ...volumes.map((one) => one.volumeId)];
      assert.equal((await f.cloud.describeVolumes({ 'volume-id': volumeIds })).length, volumes.length);
    },
  },
  {
    name: 'while a zone is impaired what is asked for by id in another one, and tags, are told; a listing fails',
    async run(f) {
      const { instanceId, az, volumes } = await launch(f, 'healthy-zone');
      const other = f.subnets.find((subnet) => subnet.az !== az)?.az;
      if (other === undefined) return;
      const byId = { 'instance-id': [instanceId] };
      const byVolume = { 'volume-id': volumes.map((one) => one.volumeId) };
      await f.impairZone(other, true);
      assert.equal((await f.cloud.describeInstances(byId)).length, 1);
      assert.equal((await f.cloud.describeInstanceStatus([instanceId])).length, 1);
      assert.equal((await f.cloud.describeVolumes(byVolume)).length, volumes.length);
      await refused(f.cloud.describeInstances({ 'tag-key': ['understudy:op'] }), 'CLOUD_UNAVAILABLE');
      const tagged = await f.cloud.describeInstanceTags(['understudy:op']);
      assert.equal(tagged.find((one) => one.instanceId === instanceId)?.tags['understudy:op'], 'healthy-zone');
      await f.impairZone(other, false);
      await f.impairZone(az, true);
      await refused(f.cloud.describeInstances(byId), 'CLOUD_UNAVAILABLE');
      await f.impairZone(az, false);
      assert.equal((await f.cloud.describeInstances({ 'tag:understudy:op': ['healthy-zone'] })).length, 1);
    },
  },
  {
    name: 'the console of a machine is text; of one EC2 does not know CLOUD_NOT_FOUND',
    async run(f) {
      const { instanceId } = await launch(f, 'console');
      const output = await f.cloud.consoleOutput(instanceId);
      assert.match(output?.text ?? '', /login:/);
      assert.ok((output?.takenAtWallMs ?? 0) > 0);
      await refused(f.cloud.consoleOutput('i-0123456789abcdef0'), 'CLOUD_NOT_FOUND');
    },
  },
  {
    name: 'a subnet is told with its zone',
    async run(f) {
      const found = await f.cloud.describeSubnets({ 'subnet-id': f.subnets.map((subnet) => subnet.subnetId) });
      const zones = (list: readonly { subnetId: string; az: string }[]) =>
        list.map((subnet) => `${subnet.subnetId} ${subnet.az}`).sort();
      assert.deepEqual(zones(found), zones(f.subnets));
    },
  },
  {
    name: 'a read that fails inside EC2 is CLOUD_UNAVAILABLE',
    async run(f) {
      // There is more than one, because a read may be repeated inside.
      const fault = await f.fault('DescribeVolumes', 'internal-error', 3);
      await refused(f.cloud.describeVolumes({ 'volume-id': ['vol-0123456789abcdef0'] }), 'CLOUD_UNAVAILABLE');
      assert.ok((await fault.firedCount()) >= 1);
    },
  },
  {
    name: 'credentials that are not accepted are CLOUD_DENIED',
    async run(f) {
      if (f.stranger) await refused(f.stranger.describeSubnets({}), 'CLOUD_DENIED');
    },
  },
  {
    name: 'an address where nobody answers is CLOUD_UNAVAILABLE',
    async run(f) {
      if (f.nowhere) await refused(f.nowhere.describeSubnets({}), 'CLOUD_UNAVAILABLE');
    },
  },
];

const LAUNCHES: readonly CloudContractCase[] = [
  {
    name: 'a launch on a permit runs on that interface, with its disks, tags and user data',
    async run(f) {
      const UserData = Buffer.from('member: db/one').toString('base64');
      const instance = await launch(f, 'plain', { UserData });
      const [permit] = await f.cloud.describeNetworkInterfaces({ 'tag:understudy:op': ['plain'] });
      assert.equal(instance.networkInterfaces[0]?.networkInterfaceId, permit?.networkInterfaceId);
      assert.equal(permit?.attachedInstanceId, instance.instanceId);
      assert.equal(instance.privateIp, permit?.privateIp);
      assert.deepEqual(
        instance.volumes.map((volume) => volume.deviceName).sort(),
        ['/dev/sdf', f.rootDeviceName].sort(),
      );
      assert.equal(instance.tags['understudy:op'], 'plain');
      assert.equal(instance.clientToken, 'launch-plain');
      assert.equal(await f.cloud.describeUserData(instance.instanceId), UserData);
      const [status] = await f.cloud.describeInstanceStatus([instance.instanceId]);
      assert.equal(status?.state, 'running');
    },
  },
  {
    name: 'a launch repeated with its token is the same instance; with other parameters CLOUD_CONFLICT',
    async run(f) {
      const permit = await makePermit(f, 'twice');
      const request = launchRequest(f, 'twice', permit.networkInterfaceId);
      const first = await patiently(f, () => f.cloud.runInstances(request));
      const second = await f.cloud.runInstances(request);
      assert.equal(second.instanceId, first.instanceId);
      await refused(f.cloud.runInstances({ ...request, EbsOptimized: true }), 'CLOUD_CONFLICT');
      const seen = await f.cloud.describeInstances({ 'client-token': [request.ClientToken] });
      assert.ok(seen.length <= 1);
    },
  },
  {
    name: 'a permit repeated with its token is the same interface',
    async run(f) {
      const first = await makePermit(f, 'permit');
      assert.equal((await makePermit(f, 'permit')).networkInterfaceId, first.networkInterfaceId);
    },
  },
  {
    name: 'a permit in use cannot be deleted: CLOUD_CONFLICT',
    async run(f) {
      const instance = await launch(f, 'busy');
      const [attachment] = instance.networkInterfaces;
      assert.ok(attachment);
      await refused(f.cloud.deleteNetworkInterface(attachment.networkInterfaceId), 'CLOUD_CONFLICT');
    },
  },
  {
    name: 'a launch on a permit that was deleted fails definitely and launches nothing',
    async run(f) {
      const permit = await makePermit(f, 'revoked');
      const seen = { 'network-interface-id': [permit.networkInterfaceId] };
      await f.cloud.deleteNetworkInterface(permit.networkInterfaceId);
      const request = launchRequest(f, 'revoked', permit.networkInterfaceId);
      await refused(f.cloud.runInstances(request), 'CLOUD_NOT_FOUND');
      await f.clock.sleep(30_000);
      assert.deepEqual(await f.cloud.describeInstances({ 'client-token': [request.ClientToken] }), []);
      assert.deepEqual(await f.cloud.describeNetworkInterfaces(seen), []);
    },
  },
  {
    name: 'a launch without capacity is CLOUD_CAPACITY and launches nothing',
    async run(f) {
      const permit = await makePermit(f, 'full');
      const fault = await f.fault('RunInstances', 'capacity', 1);
      await refused(f.cloud.runInstances(launchRequest(f, 'full', permit.networkInterfaceId)), 'CLOUD_CAPACITY');
      assert.equal(await fault.firedCount(), 1);
      await f.clock.sleep(30_000);
      assert.deepEqual(await f.cloud.describeInstances({ 'tag:understudy:op': ['full'] }), []);
    },
  },
  {
    name: 'a throttled launch is CLOUD_THROTTLED, sent once, and launches nothing',
    async run(f) {
      const permit = await makePermit(f, 'throttled');
      const fault = await f.fault('RunInstances', 'throttle', 2);
      await refused(f.cloud.runInstances(launchRequest(f, 'throttled', permit.networkInterfaceId)), 'CLOUD_THROTTLED');
      assert.equal(await fault.firedCount(), 1);
      await f.clock.sleep(30_000);
      assert.deepEqual(await f.cloud.describeInstances({ 'tag:understudy:op': ['throttled'] }), []);
    },
  },
  {
    name: 'a launch whose reply is lost is CLOUD_OUTCOME_UNKNOWN, and the same request finds it',
    async run(f) {
      const permit = await makePermit(f, 'lost');
      const request = launchRequest(f, 'lost', permit.networkInterfaceId);
      const fault = await f.fault('RunInstances', 'timeout-after-success', 1);
      await refused(f.cloud.runInstances(request), 'CLOUD_OUTCOME_UNKNOWN');
      assert.equal(await fault.firedCount(), 1);
      const again = await f.cloud.runInstances(request);
      await inState(f, again.instanceId, 'running');
      assert.equal((await f.cloud.describeInstances({ 'client-token': [request.ClientToken] })).length, 1);
    },
  },
  {
    name: 'a launch that fails inside EC2 is CLOUD_OUTCOME_UNKNOWN and is sent once',
    async run(f) {
      const permit = await makePermit(f, 'internal');
      const fault = await f.fault('RunInstances', 'internal-error', 2);
      await refused(
        f.cloud.runInstances(launchRequest(f, 'internal', permit.networkInterfaceId)),
        'CLOUD_OUTCOME_UNKNOWN',
      );
      assert.equal(await fault.firedCount(), 1);
    },
  },
];

const FENCES: readonly CloudContractCase[] = [
  {
    name: 'a forced stop is observed, and may be repeated',
    async run(f) {
      const { instanceId } = await launch(f, 'stop');
      const how = { force: true, skipOsShutdown: true };
      await f.cloud.stopInstance(instanceId, how);
      await f.cloud.stopInstance(instanceId, how);
      const stopped = await inState(f, instanceId, 'stopped');
      assert.equal(stopped.stateReasonCode, 'Client.UserInitiatedShutdown');
      assert.equal(stopped.volumes.length, 2);
    },
  },
  {
    name: 'stopping an instance EC2 does not know is CLOUD_NOT_FOUND',
    async run(f) {
      const how = { force: false, skipOsShutdown: false };
      await refused(f.cloud.stopInstance('i-0123456789abcdef0', how), 'CLOUD_NOT_FOUND');
    },
  },
  {
    name: 'a protected instance is not terminated: CLOUD_CONFLICT, until the protection is gone',
    async run(f) {
      const { instanceId } = await launch(f, 'protected');
      await f.cloud.setProtection(instanceId, { termination: true });
      await f.clock.sleep(30_000);
      assert.deepEqual(await f.cloud.describeProtection(instanceId), { stop: false, termination: true });
      await refused(f.cloud.terminateInstance(instanceId), 'CLOUD_CONFLICT');
      await f.cloud.setProtection(instanceId, { termination: false });
      await f.clock.sleep(30_000);
      await f.cloud.terminateInstance(instanceId);
      await inState(f, instanceId, 'terminated');
    },
  },
  {
    name: 'a disk set to survive its instance does',
    async run(f) {
      const instance = await launch(f, 'keep');
      const disk = instance.volumes.find((volume) => volume.deviceName === '/dev/sdf');
      assert.equal(disk?.deleteOnTermination, true);
      await f.cloud.setDeleteOnTermination(instance.instanceId, '/dev/sdf', false);
      await f.cloud.terminateInstance(instance.instanceId);
      await inState(f, instance.instanceId, 'terminated');
      const kept = await eventually(f, 'free volume', async () => {
        const [volume] = await f.cloud.describeVolumes({ 'volume-id': [disk.volumeId] });
        return volume?.state === 'available' ? volume : null;
      });
      assert.deepEqual(kept.attachments, []);
    },
  },
];

const CAPTURES: readonly CloudContractCase[] = [
  {
    name: 'snapshots cover every volume of the instance',
    async run(f) {
      const instance = await launch(f, 'snap');
      const snapshots = await capture(f, instance.instanceId, 'snap-set');
      const ids = (list: readonly { volumeId: string }[]) => list.map((item) => item.volumeId).sort();
      assert.deepEqual(ids(snapshots), ids(instance.volumes));
      for (const snapshot of snapshots) await f.cloud.deleteSnapshot(snapshot.snapshotId);
    },
  },
  {
    name: 'an image of the root snapshot has its name once, and an instance starts from it',
    async run(f) {
      const old = await launch(f, 'old');
      const snapshots = await capture(f, old.instanceId, 'old-set');
      const rootId = old.volumes.find((volume) => volume.deviceName === f.rootDeviceName)?.volumeId;
      const root = snapshots.find((snapshot) => snapshot.volumeId === rootId);
      const data = snapshots.find((snapshot) => snapshot.volumeId !== rootId);
      assert.ok(root && data);
      const request = {
        name: 'understudy-contract',
        rootDeviceName: f.rootDeviceName,
        rootSnapshotId: root.snapshotId,
        architecture: old.architecture ?? 'x86_64',
        bootMode: null,
        enaSupport: true,
        tpmSupport: null,
        sriovNetSupport: null,
        virtualizationType: 'hvm',
        imdsSupport: null,
        tags: { 'understudy:op': 'old' },
      };
      const { imageId } = await f.cloud.registerImage(request);
      await refused(f.cloud.registerImage(request), 'CLOUD_CONFLICT');
      const image = await eventually(f, 'available image', async () => {
        const [found] = await f.cloud.describeImages({ name: [request.name] });
        return found?.state === 'available' ? found : null;
      });
      assert.equal(image.imageId, imageId);
      assert.equal(image.rootSnapshotId, root.snapshotId);
      const Ebs = { SnapshotId: data.snapshotId, VolumeType: 'gp3', DeleteOnTermination: true };
      const mappings = { ImageId: imageId, BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs }] };
      const replacement = await launch(f, 'new', mappings);
      assert.equal(replacement.imageId, imageId);
      await f.cloud.deregisterImage(imageId);
    },
  },
];

const IDENTITIES: readonly CloudContractCase[] = [
  {
    name: 'an Elastic IP is never taken from another: CLOUD_CONFLICT until it is free',
    async run(f) {
      const { allocationId } = await f.allocateAddress();
      const [a, b] = [await launch(f, 'eip-a'), await launch(f, 'eip-b')];
      const [eniA, eniB] = [a, b].map((instance) => instance.networkInterfaces[0]?.networkInterfaceId ?? '');
      assert.ok(eniA && eniB);
      const at = (networkInterfaceId: string) => ({ allocationId, networkInterfaceId, privateIp: null });
      const { associationId } = await f.cloud.associateAddress(at(eniA));
      await refused(f.cloud.associateAddress(at(eniB)), 'CLOUD_CONFLICT');
      await f.cloud.disassociateAddress(associationId);
      await f.cloud.disassociateAddress(associationId);
      await eventually(f, 'free address', async () => {
        const [address] = await f.cloud.describeAddresses({ 'allocation-id': [allocationId] });
        return address?.associationId === null ? address : null;
      });
      await f.cloud.associateAddress(at(eniB));
      const moved = await eventually(f, 'moved address', async () => {
        const [address] = await f.cloud.describeAddresses({ 'allocation-id': [allocationId] });
        return address?.networkInterfaceId === eniB ? address : null;
      });
      assert.equal(moved.instanceId, b.instanceId);
    },
  },
  {
    name: 'tags are set and overwritten by key, and others stay',
    async run(f) {
      const { volumes } = await launch(f, 'tags');
      const id = [volumes[0]?.volumeId ?? ''];
      await patiently(f, () => f.cloud.createTags(id, { one: '1', two: '2' }));
      await f.cloud.createTags(id, { two: '3' });
      const seen = await eventually(f, 'tags', async () => {
        const [volume] = await f.cloud.describeVolumes({ 'volume-id': id });
        return volume?.tags.two === '3' && volume.tags.one === '1' ? volume : null;
      });
      assert.equal(seen.tags['understudy:op'], 'tags');
    },
  },
  {
    name: 'tags are taken off by key, whatever they say, and others stay',
    async run(f) {
      const { volumes } = await launch(f, 'untag');
      const id = [volumes[0]?.volumeId ?? ''];
      // A coordinator may take off its own marks only.
      const [there, neverThere] = [TAG.retiredBy, TAG.retainUntil] as const;
      await patiently(f, () => f.cloud.createTags(id, { one: '1', [there]: '2' }));
      await f.cloud.deleteTags(id, []);
      await f.cloud.deleteTags(id, [there, neverThere]);
      const seen = await eventually(f, 'tags', async () => {
        const [volume] = await f.cloud.describeVolumes({ 'volume-id': id });
        return volume?.tags.one === '1' && volume.tags[there] === undefined ? volume : null;
      });
      assert.equal(seen.tags['understudy:op'], 'untag');
    },
  },
  {
    name: 'the source/destination check of a free interface can be switched off',
    async run(f) {
      const { networkInterfaceId, sourceDestCheck } = await makePermit(f, 'check');
      assert.equal(sourceDestCheck, true);
      const off = { sourceDestCheck: false };
      await patiently(f, () => f.cloud.setNetworkInterfaceAttributes(networkInterfaceId, off));
      await eventually(f, 'check off', async () => {
        const [eni] = await f.cloud.describeNetworkInterfaces({ 'network-interface-id': [networkInterfaceId] });
        return eni?.sourceDestCheck === false ? eni : null;
      });
    },
  },
];

/**
 * What every {@link Cloud} must do, as cases for any test runner: `for (const one of
 * CLOUD_CONTRACT) it(one.name, () => one.run(fixture))`. Each case wants an empty world of its own.
 */
export const CLOUD_CONTRACT: readonly CloudContractCase[] = [
  ...READS,
  ...REFERENCES,
  ...LAUNCHES,
  ...FENCES,
  ...VOLUMES,
  ...CAPTURES,
  ...IDENTITIES,
  ...MOVES,
];
