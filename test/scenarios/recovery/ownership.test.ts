import { OwnershipWatch, strayTexts, type WatchedRecovery } from '@understudy/recovery';
import { invariant } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { checkFollowed, failed, holders, type IdentityWorld, identityWorld } from './identity-world.ts';
import { KEYS, type Leader, MEMBER } from './recovery-fixture.ts';

interface Watching {
  readonly world: IdentityWorld;
  readonly newInstanceId: string;
  readonly leader: Leader;
  /** Passes of the watch, a while apart. */
  readonly passes: (count: number) => Promise<void>;
}

/** A member whose recovery is over, with everything where it was put. */
async function watching(): Promise<Watching> {
  const world = await failed(await identityWorld());
  const { scene, old } = world;
  const leader = scene.lead();
  expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old);
  const { clock, log } = scene;
  const watch = new OwnershipWatch({ cloud: leader.cloud, keys: KEYS, clock, log, callTimeoutMs: 5_000 });
  const passes = async (count: number): Promise<void> => {
    for (let pass = 0; pass < count; pass += 1) {
      await scene.clock.runUntilSettled(watch.look(leader.term, recoveryOf(world)));
      await scene.clock.advance(30_000);
    }
  };
  return { world, newInstanceId, leader, passes };
}

function recoveryOf({ scene }: IdentityWorld): WatchedRecovery {
  const [entry] = scene.kv.entries(KEYS.historyOf(MEMBER));
  const [activation] = scene.kv.entries(KEYS.activation(MEMBER));
  const [record] = scene.history();
  invariant(entry && activation && record, 'no recovery has ended');
  return { key: entry.key, record, modRevision: entry.modRevision, activationModRevision: activation.modRevision };
}

const movedOf = (world: IdentityWorld) => world.scene.history()[0]?.moved ?? [];
const flips = (world: IdentityWorld) => movedOf(world).flatMap(({ flip }) => flip ?? []);

/** Takes each kind away, so that nobody has it. */
function freed({ scene, assigned, further, onSecondary }: IdentityWorld, what: 'eip' | 'ip' | 'interface'): void {
  const { region } = scene.sim.core;
  if (what === 'eip')
    scene.sim.seed('DisassociateAddress', { AssociationId: region.addresses.get(onSecondary)?.associationId });
  if (what === 'interface')
    scene.sim.seed('DetachNetworkInterface', {
      AttachmentId: region.networkInterfaces.get(further)?.attachment?.attachmentId,
    });
  if (what !== 'ip') return;
  const holder = region.networkInterfaces.all().find((one) => one.ipv6Addresses.includes(assigned.ipv6Addresses));
  scene.sim.seed('UnassignIpv6Addresses', {
    NetworkInterfaceId: holder?.id,
    Ipv6Addresses: [assigned.ipv6Addresses],
  });
}

describe('after a recovery', () => {
  test('the history says where everything was put, and nothing is done while it is there', async () => {
    const { world, passes } = await watching();
    expect(
      movedOf(world)
        .map((one) => one.move)
        .sort(),
    ).toEqual([...['address', 'address', 'address', 'interface', 'ipv6', 'prefix', 'prefix', 'secondary']]);
    const calls = world.scene.sim.log.calls().length;
    await passes(3);
    const later = world.scene.sim.log.calls().slice(calls);
    expect(later.filter((one) => !one.action.startsWith('Describe'))).toEqual([]);
    expect(flips(world)).toEqual([]);
  });

  test.each(['eip', 'ip', 'interface'] as const)('%s: gone to nobody, it is put back once', async (what) => {
    const { world, newInstanceId, passes } = await watching();
    freed(world, what);
    await world.scene.clock.advance(15_000);
    await passes(1);
    expect(flips(world), 'one look may be outdated').toEqual([]);
    await passes(4);
    expect(flips(world)).toMatchObject([{ holder: 'nobody', backAtWallMs: expect.any(Number) as number }]);
    expect(new Set(Object.values(holders(world)))).toEqual(new Set([newInstanceId]));
    if (what !== 'interface') checkFollowed(world, newInstanceId);
    freed(world, what);
    await world.scene.clock.advance(15_000);
    await passes(5);
    expect(flips(world)[0]?.left).toContain('has gone again');
    expect(Object.values(holders(world))).toContain(null);
    const [history] = world.scene.history();
    expect(history && strayTexts(history)).toHaveLength(1);
  });

  test('what somebody else has is never taken, and told', async () => {
    const { world, passes } = await watching();
    const { scene, onSecondary } = world;
    const third = scene.seedMember('other/one', { elasticIp: false });
    scene.sim.seed('AssociateAddress', { AllocationId: onSecondary, InstanceId: third.instanceId });
    await passes(5);
    expect(flips(world)).toMatchObject([{ holder: third.instanceId, tries: 0 }]);
    expect(holders(world).onSecondary).toBe(third.instanceId);
  });

  test('what went back to the retired instance is taken from there while it is down, and not while it runs', async () => {
    const { world, newInstanceId, passes } = await watching();
    const { scene, old, onSecondary } = world;
    const back = { AllocationId: onSecondary, NetworkInterfaceId: old.networkInterfaceId, AllowReassociation: true };
    scene.sim.seed('AssociateAddress', back);
    await passes(4);
    expect(holders(world).onSecondary).toBe(newInstanceId);
    scene.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    scene.sim.seed('AssociateAddress', { ...back, AllocationId: old.allocationId });
    await scene.clock.advance(60_000);
    await passes(4);
    const address = scene.sim.core.region.addresses.get(old.allocationId ?? '');
    expect(scene.holderOf(address?.networkInterfaceId ?? '')).toBe(old.instanceId);
    expect(flips(world).map((one) => one.left)).toContainEqual(expect.stringContaining('which is running'));
  });

  test('a leader that has been followed puts nothing back', async () => {
    const { world, leader, passes } = await watching();
    freed(world, 'eip');
    await passes(1);
    world.scene.lead();
    await expect(passes(2)).rejects.toThrow();
    expect(leader.term.signal.aborted).toBe(true);
    expect(holders(world).onSecondary).toBeNull();
  });
});
