import { strict as assert } from 'node:assert';
import type { CloudContractCase, CloudContractFixture } from './cloud-contract-case.ts';
import { eventually, launch, makePermit, patiently, refused } from './cloud-contract-steps.ts';
import type { AssignedKind, CloudNetworkInterface } from '../ports/cloud.ts';

const seen = (
  f: CloudContractFixture,
  what: string,
  networkInterfaceId: string,
  is: (one: CloudNetworkInterface) => boolean,
): Promise<CloudNetworkInterface> =>
  eventually(f, what, async () => {
    const [one] = await f.cloud.describeNetworkInterfaces({ 'network-interface-id': [networkInterfaceId] });
    return one && is(one) ? one : null;
  });

/** An address of the subnet that is not its interface's own. */
const besides = (privateIp: string): string => {
  const parts = privateIp.split('.').map(Number);
  return [...parts.slice(0, 3), ((parts[3] ?? 0) % 200) + 20].join('.');
};

/**
 * One of each other kind, in the subnet of the interface; an instance there tells its IPv6 block.
 */
async function others(
  f: CloudContractFixture,
  { subnetId, privateIp }: CloudNetworkInterface,
): Promise<readonly (readonly [AssignedKind, string])[]> {
  const own = { NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnetId, Ipv6AddressCount: 1 }] };
  const { networkInterfaces } = await launch(f, 'ipv6', own);
  const id = networkInterfaces[0]?.networkInterfaceId ?? '';
  const shown = await seen(f, 'its IPv6 address', id, (one) => one.assigned['ipv6-address'].length > 0);
  const block = (shown.assigned['ipv6-address'][0] ?? '').split(':').slice(0, 4).join(':');
  const [a, b, c] = privateIp.split('.');
  return [
    ['ipv6-address', `${block}:0:0:0:77`],
    ['ipv4-prefix', `${a}.${b}.${c}.${(Number(privateIp.split('.')[3]) + 64) & 240}/28`],
    ['ipv6-prefix', `${block}:99::/80`],
  ];
}

/** The part of {@link CLOUD_CONTRACT} about what moves from one interface to another. */
export const MOVES: readonly CloudContractCase[] = [
  {
    name: 'a secondary private address is never taken from another interface: CLOUD_CONFLICT until it is free',
    run: async (f) => {
      const [a, b] = [await makePermit(f, 'ip-a'), await makePermit(f, 'ip-b')];
      const of = (one: CloudNetworkInterface) => ({
        ...{ networkInterfaceId: one.networkInterfaceId, kind: 'secondary-ip' as const, address: besides(a.privateIp) },
      });
      const has = (one: CloudNetworkInterface) => one.assigned['secondary-ip'].includes(of(a).address);
      await patiently(f, () => f.cloud.assignAddress(of(a)));
      await seen(f, 'address of a', a.networkInterfaceId, has);
      await refused(f.cloud.assignAddress(of(b)), 'CLOUD_CONFLICT');
      await f.cloud.unassignAddress(of(a));
      await f.cloud.unassignAddress(of(a));
      await patiently(f, () => f.cloud.assignAddress(of(b)));
      await seen(f, 'address of b', b.networkInterfaceId, has);
      await seen(f, 'a without it', a.networkInterfaceId, (one) => !has(one));
      await f.cloud.unassignAddress(of(a));
      await seen(f, 'b with it still', b.networkInterfaceId, has);
    },
  },
  {
    name: 'IPv6 addresses and prefixes are assigned one by one, and taken off the named interface only',
    run: async (f) => {
      const [a, b] = [await makePermit(f, 'v6-a'), await makePermit(f, 'v6-b')];
      for (const [kind, address] of await others(f, a)) {
        const of = (one: CloudNetworkInterface) => ({ networkInterfaceId: one.networkInterfaceId, kind, address });
        const has = (one: CloudNetworkInterface) => one.assigned[kind].includes(address);
        await patiently(f, () => f.cloud.assignAddress(of(a)));
        await seen(f, `${kind} of a`, a.networkInterfaceId, has);
        await refused(f.cloud.assignAddress(of(b)), 'CLOUD_CONFLICT');
        await f.cloud.unassignAddress(of(b));
        await seen(f, `a with its ${kind} still`, a.networkInterfaceId, has);
        await f.cloud.unassignAddress(of(a));
        await seen(f, `a without its ${kind}`, a.networkInterfaceId, (one) => !has(one));
      }
    },
  },
  {
    name: 'a further interface is detached by its very attachment, and never attached twice',
    run: async (f) => {
      const [a, b] = [await launch(f, 'eni-a'), await launch(f, 'eni-b')];
      const { networkInterfaceId } = await makePermit(f, 'moved');
      const to = (instanceId: string) => ({ networkInterfaceId, instanceId, deviceIndex: 1, networkCardIndex: 0 });
      const { attachmentId } = await patiently(f, () => f.cloud.attachNetworkInterface(to(a.instanceId)));
      const attached = await seen(f, 'attached', networkInterfaceId, (one) => one.attachment?.state === 'attached');
      const { deviceIndex, deleteOnTermination } = attached.attachment ?? {};
      assert.deepEqual({ deviceIndex, deleteOnTermination }, { deviceIndex: 1, deleteOnTermination: false });
      assert.equal(attached.attachedInstanceId, a.instanceId);
      await refused(f.cloud.attachNetworkInterface(to(b.instanceId)), 'CLOUD_CONFLICT');
      await f.cloud.detachNetworkInterface(attachmentId);
      await seen(f, 'detached', networkInterfaceId, (one) => one.attachment === null && one.state === 'available');
      await patiently(f, () => f.cloud.attachNetworkInterface(to(b.instanceId)));
      await f.cloud.detachNetworkInterface(attachmentId);
      const moved = await seen(f, 'moved', networkInterfaceId, (one) => one.attachment?.state === 'attached');
      assert.equal(moved.attachedInstanceId, b.instanceId);
    },
  },
  {
    name: 'an interface is made with a private address that was asked for, and not while that is taken',
    run: async (f) => {
      const first = await makePermit(f, 'first');
      const like = (name: string) => ({
        ...{ clientToken: `permit-${name}`, subnetId: first.subnetId, groupIds: [], description: name },
        ...{ tags: { 'understudy:op': name }, privateIp: first.privateIp },
      });
      await refused(f.cloud.createNetworkInterface(like('second')), 'CLOUD_CONFLICT');
      await patiently(f, () => f.cloud.deleteNetworkInterface(first.networkInterfaceId));
      const third = await patiently(f, () => f.cloud.createNetworkInterface(like('third')));
      assert.equal(third.privateIp, first.privateIp);
    },
  },
];
