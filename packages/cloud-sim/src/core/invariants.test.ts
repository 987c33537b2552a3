import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CloudSim } from '../cloud-sim.ts';
import { inProcessTransport } from '../in-process-transport.ts';
import { seedInstance } from '../seed-instance.ts';
import { SimClock } from '@understudy/shared/testing';
import { PROMPT, runRequest } from './region.fixtures.ts';
import type { Region } from './region.ts';

/** One random operator action. Its indexes pick among what exists at that moment. */
const OPERATIONS = [
  'launch',
  'launch-with-interface',
  'stop',
  'start',
  'terminate',
  'attach',
  'detach',
  'create-volume',
  'delete-volume',
  'create-interface',
  'delete-interface',
  'attach-interface',
  'associate',
  'disassociate',
  'snapshot',
  'wait',
] as const;
type Operation = (typeof OPERATIONS)[number];

interface Move {
  readonly operation: Operation;
  readonly first: number;
  readonly second: number;
  readonly flag: boolean;
}

const pick = <T>(from: readonly T[], index: number): T | undefined => from[index % Math.max(1, from.length)];
const AZ_LETTERS = ['a', 'b', 'c'] as const;

/** The request of a move. Null when nothing fits it. */
function requestOf(sim: CloudSim, { operation, first, second, flag }: Move): [string, Record<string, unknown>] | null {
  const { region } = sim.core;
  const instance = pick(region.instances.all(), first)?.id;
  const volume = pick(region.volumes.all(), second)?.id;
  const nic = pick(region.networkInterfaces.all(), second)?.id;
  const address = pick(region.addresses.all(), first);
  const letter = pick(AZ_LETTERS, first) ?? 'a';
  const subnet = sim.defaultResources.subnets[`us-east-1${letter}`];
  const ids = { InstanceIds: [instance ?? 'i-00000000000000000'] };
  switch (operation) {
    case 'launch':
      return ['RunInstances', runRequest(sim, { ClientToken: `t${second % 3}`, SubnetId: subnet })];
    case 'launch-with-interface': {
      const interfaces = { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: nic }] };
      return nic ? ['RunInstances', runRequest(sim, { ClientToken: `e${first % 3}`, ...interfaces })] : null;
    }
    case 'stop':
      return ['StopInstances', { ...ids, Force: flag, SkipOsShutdown: true }];
    case 'start':
      return ['StartInstances', ids];
    case 'terminate':
      return ['TerminateInstances', ids];
    case 'attach':
      return ['AttachVolume', { VolumeId: volume, InstanceId: instance, Device: `/dev/sd${flag ? 'f' : 'g'}` }];
    case 'detach':
      return ['DetachVolume', { VolumeId: volume, Force: flag }];
    case 'create-volume':
      return ['CreateVolume', { AvailabilityZone: `us-east-1${letter}`, Size: 1, ClientToken: `v${second % 3}` }];
    case 'delete-volume':
      return ['DeleteVolume', { VolumeId: volume }];
    case 'create-interface':
      return ['CreateNetworkInterface', { SubnetId: subnet, ClientToken: `n${second % 3}` }];
    case 'delete-interface':
      return ['DeleteNetworkInterface', { NetworkInterfaceId: nic }];
    case 'attach-interface':
      return ['AttachNetworkInterface', { NetworkInterfaceId: nic, InstanceId: instance, DeviceIndex: flag ? 1 : 2 }];
    case 'associate':
      return ['AssociateAddress', { AllocationId: address?.id, NetworkInterfaceId: nic, AllowReassociation: flag }];
    case 'disassociate':
      return ['DisassociateAddress', { AssociationId: address?.associationId ?? 'eipassoc-0' }];
    case 'snapshot':
      return ['CreateSnapshots', { InstanceSpecification: ids.InstanceIds && { InstanceId: ids.InstanceIds[0] } }];
    case 'wait':
      return null;
  }
}

/** Texts of the rules that are broken now. They must hold at every moment. */
function broken(region: Region): string[] {
  const faults: string[] = [];
  for (const volume of region.volumes.all()) {
    if (volume.attachments.length > 1) faults.push(`${volume.id} is attached ${volume.attachments.length} times`);
    const used = volume.state === 'in-use';
    if (used !== volume.attachments.length > 0) faults.push(`${volume.id} is ${volume.state} with attachments`);
    for (const { instanceId } of volume.attachments) {
      if (!region.instances.get(instanceId)?.volumeIds.includes(volume.id))
        faults.push(`${volume.id}: ${instanceId} differs`);
    }
  }
  const holders = new Map<string, string[]>();
  for (const instance of region.instances.all()) {
    for (const id of instance.networkInterfaceIds) holders.set(id, [...(holders.get(id) ?? []), instance.id]);
    if (instance.state === 'terminated' && instance.volumeIds.length > 0) faults.push(`${instance.id} keeps volumes`);
  }
  for (const [id, owners] of holders) if (owners.length > 1) faults.push(`${id} is on ${owners.join(' and ')}`);
  for (const nic of region.networkInterfaces.all()) {
    const owner = holders.get(nic.id)?.[0];
    if ((nic.attachment?.instanceId ?? undefined) !== owner) faults.push(`${nic.id}: owner ${owner} differs`);
  }
  const associations = region.addresses.all().flatMap((one) => (one.associationId ? [one] : []));
  const targets = new Set(associations.map((one) => `${one.networkInterfaceId}/${one.privateIp}`));
  if (targets.size !== associations.length) faults.push('two addresses on one private address');
  for (const one of associations) {
    if (!region.networkInterfaces.has(one.networkInterfaceId ?? '')) faults.push(`${one.id} points nowhere`);
  }
  for (const [token, launches] of region.log.launchesByToken()) {
    if (new Set(launches.map(({ az }) => az)).size !== launches.length) faults.push(`token ${token} launched twice`);
  }
  return faults;
}

const moves = fc.array(
  fc.record({
    operation: fc.constantFrom(...OPERATIONS),
    first: fc.nat(1_000),
    second: fc.nat(1_000),
    flag: fc.boolean(),
  }),
  { minLength: 5, maxLength: 60 },
);

test('whatever operators do, nothing is attached twice and no token launches twice in a zone', async () => {
  let performed = 0;
  await fc.assert(
    fc.asyncProperty(moves, fc.nat(1_000), async (list, seed) => {
      const clock = new SimClock();
      const sim = new CloudSim({ clock, seed, latency: PROMPT });
      const send = inProcessTransport(sim);
      for (const letter of AZ_LETTERS) seedInstance(sim, { az: `us-east-1${letter}`, elasticIp: true });
      for (const move of list) {
        const request = requestOf(sim, move);
        if (request) {
          // The call does not wait for what it sets off: rules break in half-done states.
          const outcome = await clock.runUntilSettled(
            send(...request).then(
              () => 'ok',
              (error: Error) => error.name,
            ),
          );
          if (outcome === 'ok') performed++;
          expect(outcome).not.toBe('TypeError');
        } else await clock.advance(move.first * 60);
        expect(broken(sim.core.region)).toEqual([]);
      }
      await clock.advance(3_600_000);
      expect(broken(sim.core.region)).toEqual([]);
    }),
    { numRuns: 60 },
  );
  expect(performed).toBeGreaterThan(200);
});
