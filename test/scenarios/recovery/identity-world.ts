import type { SeededInstance } from '@understudy/cloud-sim';
import { invariant } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { expect } from 'vitest';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

type Kind = 'secondaryIps' | 'ipv6Addresses' | 'ipv4Prefixes' | 'ipv6Prefixes';

/** A failed member with one of everything that can follow it. */
export interface IdentityWorld {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  /** What is assigned to its primary interface beside its own address. */
  readonly assigned: Readonly<Record<Kind, string>>;
  /** Elastic IPs: on the secondary address, and on the further interface. */
  readonly onSecondary: string;
  readonly onFurther: string;
  /** A further interface at device index 1, which goes with its instance. */
  readonly further: string;
}

const textIn = (value: unknown, ...path: readonly string[]): string => {
  const found = path.reduce<unknown>((so, name) => (so as Record<string, unknown>)[name], value);
  invariant(typeof found === 'string', `nothing at ${path.join('.')}`);
  return found;
};

/** The member is up, and nothing has failed yet. */
export async function identityWorld(options: RecoveryFixtureOptions = {}): Promise<IdentityWorld> {
  const scene = new RecoveryFixture(options);
  // The smallest type takes two addresses an interface.
  const request = { InstanceType: 'm5.large', ...options.request };
  const old = scene.seedMember(undefined, { ...options, request });
  const { sim } = scene;
  const { networkInterfaceId: NetworkInterfaceId, subnetId, instanceId } = old;
  const subnet = sim.core.region.subnets.get(subnetId);
  invariant(subnet, 'no subnet');
  const block = subnet.networkPrefix.split('.').slice(0, 3).join('.');
  const assigned = {
    ...{ secondaryIps: `${block}.250`, ipv6Addresses: `${subnet.ipv6Prefix}:0:0:0:77` },
    ...{ ipv4Prefixes: `${block}.224/28`, ipv6Prefixes: `${subnet.ipv6Prefix}:99::/80` },
  };
  sim.seed('AssignPrivateIpAddresses', { NetworkInterfaceId, PrivateIpAddresses: [assigned.secondaryIps] });
  sim.seed('AssignPrivateIpAddresses', { NetworkInterfaceId, Ipv4Prefixes: [assigned.ipv4Prefixes] });
  sim.seed('AssignIpv6Addresses', { NetworkInterfaceId, Ipv6Addresses: [assigned.ipv6Addresses] });
  sim.seed('AssignIpv6Addresses', { NetworkInterfaceId, Ipv6Prefixes: [assigned.ipv6Prefixes] });
  const further = textIn(
    sim.seed('CreateNetworkInterface', { SubnetId: subnetId }),
    'NetworkInterface',
    'NetworkInterfaceId',
  );
  await scene.clock.advance(10_000);
  const attach = { NetworkInterfaceId: further, InstanceId: instanceId, DeviceIndex: 1 };
  const AttachmentId = textIn(sim.seed('AttachNetworkInterface', attach), 'AttachmentId');
  await scene.clock.advance(10_000);
  const bound = { AttachmentId, DeleteOnTermination: true };
  sim.seed('ModifyNetworkInterfaceAttribute', { NetworkInterfaceId: further, Attachment: bound });
  const elastic = (to: object): string => {
    const AllocationId = textIn(sim.seed('AllocateAddress', {}), 'AllocationId');
    sim.seed('AssociateAddress', { AllocationId, ...to });
    return AllocationId;
  };
  const onSecondary = elastic({ NetworkInterfaceId, PrivateIpAddress: assigned.secondaryIps });
  const onFurther = elastic({ NetworkInterfaceId: further });
  for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
  return { scene, old, assigned, onSecondary, onFurther, further };
}

/** Fails the member and writes the intent. */
export async function failed(world: IdentityWorld): Promise<IdentityWorld> {
  world.scene.sim.crashInstance(world.old.instanceId);
  await world.scene.begin(world.old);
  return world;
}

export const placedIn = (scene: RecoveryFixture, ...zones: readonly string[]): PolicyChange['recover'] => ({
  placements: zones.map((az) => ({ subnetId: scene.sim.defaultResources.subnets[az] ?? '' })),
});

const KINDS: readonly Kind[] = ['secondaryIps', 'ipv6Addresses', 'ipv4Prefixes', 'ipv6Prefixes'];

/** The instance that has each thing, in truth; null: none has it. */
export function holders({ scene, assigned, further, onSecondary, onFurther }: IdentityWorld) {
  const { networkInterfaces, addresses } = scene.sim.core.region;
  const having = (kind: Kind) => networkInterfaces.all().find((one) => one[kind].includes(assigned[kind]));
  const associated = (id: string) => addresses.get(id)?.networkInterfaceId ?? null;
  const of = (id: string | null | undefined) => (typeof id === 'string' ? scene.holderOf(id) : null);
  return {
    ...(Object.fromEntries(KINDS.map((kind) => [kind, of(having(kind)?.id)])) as Record<Kind, string | null>),
    further: of(further),
    onSecondary: of(associated(onSecondary)),
    onFurther: of(associated(onFurther)),
  };
}

/**
 * I6 of everything: what moves is with the failed instance, with nobody, or with the one that the
 * activation names.
 */
export function checkNothingStrayed(world: IdentityWorld): void {
  const allowed = [null, world.old.instanceId, world.scene.activation()?.instanceId];
  for (const [what, holder] of Object.entries(holders(world)))
    expect(allowed, `${what} on ${holder}`).toContain(holder);
}

/** Everything is on the replacement, where it was on the failed instance. */
export function checkFollowed(world: IdentityWorld, newInstanceId: string): void {
  const { scene, assigned, further, onSecondary, onFurther } = world;
  const found = holders(world);
  expect(found).toEqual(Object.fromEntries(Object.keys(found).map((what) => [what, newInstanceId])));
  const { networkInterfaces, addresses } = scene.sim.core.region;
  expect(addresses.get(onSecondary)?.privateIp).toBe(assigned.secondaryIps);
  expect(addresses.get(onFurther)?.networkInterfaceId).toBe(further);
  const attachment = networkInterfaces.get(further)?.attachment;
  expect(attachment).toMatchObject({ deviceIndex: 1, state: 'attached', deleteOnTermination: true });
}
