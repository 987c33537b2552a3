import { joinedChanges, type PolicyChange } from '@understudy/shared/testing';
import type { SeededInstance } from '@understudy/cloud-sim';
import { opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { command } from './commanding.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

interface Prepared {
  readonly world: ScenarioCluster;
  readonly old: SeededInstance;
  /** The allocation of the member's Elastic IP. */
  readonly allocationId: string;
}

async function staged(policy: PolicyChange = {}): Promise<Prepared> {
  const world = new ScenarioCluster({ policy: joinedChanges({ guard: { cooldownMs: 0 } }, policy) });
  const old = world.seed(DB1, { elasticIp: true });
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old, allocationId: old.allocationId ?? '' };
}

const addressOf = ({ world, allocationId }: Prepared) => world.sim.core.region.addresses.get(allocationId);
const holderOf = (stage: Prepared): string | null => {
  const eni = addressOf(stage)?.networkInterfaceId ?? '';
  return stage.world.sim.core.region.networkInterfaces.get(eni)?.attachment?.instanceId ?? null;
};

function takeOff(stage: Prepared): void {
  const associationId = addressOf(stage)?.associationId;
  if (associationId) stage.world.sim.seed('DisassociateAddress', { AssociationId: associationId });
}

/**
 * The member has died, its replacement serves, and its address is stuck for a reason of the test.
 */
async function activated(stage: Prepared, stuck: () => void): Promise<string> {
  const { world, old } = stage;
  world.crash(old.instanceId);
  await world.until('begun', () => world.intent(DB1) !== null, 60_000);
  stuck();
  await world.until('activated', () => world.activation(DB1)?.incarnation === 2, HOUR_MS);
  return world.activation(DB1)?.instanceId ?? '';
}

/** The second replacement serves and everything is closed. */
async function replacedAgain({ world }: Prepared, first: string): Promise<string> {
  world.crash(first);
  await world.until('activated again', () => world.activation(DB1)?.incarnation === 3, HOUR_MS);
  const second = world.activation(DB1)?.instanceId ?? '';
  expect([second === first, world.launches]).toEqual([false, 2]);
  expect(world.sim.core.region.instances.get(first)?.state).toBe('stopped');
  return second;
}

describe('an address that was released while its recovery runs', () => {
  test('is a loss: the recovery closes by itself, and the replacement can be recovered', async () => {
    const stage = await staged();
    const { world, old, allocationId } = stage;
    const first = await activated(stage, () => {
      takeOff(stage);
      world.sim.seed('ReleaseAddress', { AllocationId: allocationId });
    });
    const closingMs = await world.until('closed', () => world.history(DB1).length > 0, 300_000);
    expect(closingMs).toBeGreaterThan(60_000);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.history(DB1)[0]?.losses).toMatchObject([{ code: 'AddressReleased' }]);
    expect(world.history(DB1)[0]?.losses?.[0]?.text).toContain(allocationId);
    await replacedAgain(stage, first);
    await world.until('closed again', () => world.history(DB1).length === 2, HOUR_MS);
  });

  test('is not believed while EC2 may only lag behind: shown again, it is moved', async () => {
    const stage = await staged();
    const { world } = stage;
    const describe = { action: 'DescribeAddresses', kind: 'error', code: 'InternalError', httpStatus: 500 } as const;
    await activated(stage, () => world.sim.addFault({ id: 'blind', ...describe, times: 20 }));
    await world.until('closed', () => world.history(DB1).length > 0, HOUR_MS);
    expect([world.history(DB1)[0]?.losses, holderOf(stage)]).toEqual([undefined, world.activation(DB1)?.instanceId]);
  });
});

describe('an address that was moved to somebody else while its recovery runs', () => {
  async function lent(): Promise<Prepared & { readonly first: string; readonly third: string }> {
    const stage = await staged();
    const { world, allocationId } = stage;
    const third = world.seed('other/m1', { az: 'us-east-1c' });
    const first = await activated(stage, () => {
      takeOff(stage);
      world.sim.seed('AssociateAddress', { AllocationId: allocationId, InstanceId: third.instanceId });
    });
    await world.until('held', () => world.hold(DB1)?.reason === 'AddressHeldElsewhere', HOUR_MS);
    return { ...stage, first, third: third.instanceId };
  }

  test('holds visibly, with the command that gives it up', async () => {
    const { world, allocationId, old } = await lent();
    expect(world.hold(DB1)).toMatchObject({ opId: opIdOf(old.instanceId) });
    expect(world.hold(DB1)?.text).toContain(`understudy accept-loss ${DB1} address:${allocationId}`);
    const member = world
      .mustLead()
      .coordinator.api.members()
      .find((one) => one.member === DB1);
    expect(member).toMatchObject({ verdict: 'alive', incarnation: 2 });
  });

  test('does not keep the replacement from being watched and replaced; it stays where it was put, and is owed', async () => {
    const stage = await lent();
    const { world, first, third, allocationId, old } = stage;
    const second = await replacedAgain(stage, first);
    const [earlier] = world.history(DB1);
    expect(earlier).toMatchObject({
      outcome: 'replaced',
      oldInstanceId: old.instanceId,
      newInstanceId: first,
      owedAddresses: [{ allocationId, owedFrom: [old.instanceId] }],
    });
    expect(earlier?.reason).toContain('its replacement failed');
    await world.until('held again', () => world.hold(DB1)?.opId === opIdOf(first), HOUR_MS);
    expect([holderOf(stage), world.intent(DB1)?.plan.addresses[0]?.allocationId]).toEqual([third, allocationId]);
    takeOff(stage);
    await world.until('closed', () => world.history(DB1).length === 2, HOUR_MS);
    expect([holderOf(stage), world.hold(DB1)]).toEqual([second, null]);
    world.expectHealthy();
  });

  test('a person who overrides what holds the dead replacement has it replaced, at once and once', async () => {
    const stage = await staged({ guard: { cooldownMs: 12 * HOUR_MS } });
    const { world, allocationId } = stage;
    const third = world.seed('other/m1', { az: 'us-east-1c' });
    const first = await activated(stage, () => {
      takeOff(stage);
      world.sim.seed('AssociateAddress', { AllocationId: allocationId, InstanceId: third.instanceId });
    });
    await world.until('owes its address', () => world.hold(DB1)?.reason === 'AddressHeldElsewhere', HOUR_MS);
    world.crash(first);
    await world.until('held', () => world.hold(DB1)?.reason === 'Cooldown', HOUR_MS);
    expect(world.intent(DB1)).not.toBeNull();
    const recover = { kind: 'recover', member: DB1, by: null, opId: null, loss: null, leaveOpen: false } as const;
    const overriding = { ...recover, overrides: ['Cooldown'], planToken: null } as const;
    expect(await command(world, { ...recover, overrides: [], planToken: null })).toMatchObject({ code: 'GATES_HOLD' });
    expect(await command(world, overriding)).toMatchObject({ kind: 'done' });
    const tookMs = await world.until('activated', () => world.activation(DB1)?.incarnation === 3, HOUR_MS);
    expect(tookMs).toBeLessThan(600_000);
    expect([world.launches, world.activation(DB1)?.opId]).toEqual([2, opIdOf(first)]);
    expect(world.intent(DB1)?.acts).toMatchObject([{ kind: 'recover', by: 'ann' }]);
  });

  test('a pause keeps the dead replacement, and says so although the recovery before it has a hold of its own', async () => {
    const { world, first, old } = await lent();
    world.pause(`member/${DB1}`);
    world.crash(first);
    await world.until('held: Paused', () => world.hold(DB1)?.reason === 'Paused', 60_000);
    await world.clock.advance(600_000);
    expect(world.hold(DB1)).toMatchObject({ reason: 'Paused', opId: null });
    expect([world.intent(DB1)?.opId, world.launches]).toEqual([opIdOf(old.instanceId), 1]);
  });

  test('the leader dies, or stops for an hour, while the earlier recovery is open: its successor replaces all the same', async () => {
    const stage = await lent();
    const { world, first } = stage;
    const leader = world.mustLead();
    world.crash(first);
    leader.clock.pause();
    leader.kv.cut();
    await world.until('activated again', () => world.activation(DB1)?.incarnation === 3, HOUR_MS);
    await world.clock.advance(HOUR_MS);
    leader.kv.heal();
    leader.clock.resume();
    await world.clock.advance(120_000);
    expect([world.launches, world.history(DB1).length]).toEqual([2, 1]);
    world.expectHealthy();
  });
});

describe('an address that is still on the retired instance when its replacement dies', () => {
  test('is moved by the next recovery, from exactly that instance', async () => {
    const stage = await staged();
    const { world, old } = stage;
    const denied = { kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 } as const;
    world.sim.addFault({ id: 'denied', action: 'DisassociateAddress', ...denied, times: 10_000 });
    const first = await activated(stage, () => undefined);
    await world.until('held', () => world.hold(DB1)?.reason === 'CloudDenied', HOUR_MS);
    expect(holderOf(stage)).toBe(old.instanceId);
    const second = await replacedAgain(stage, first);
    expect(holderOf(stage)).toBe(old.instanceId);
    world.sim.removeFault('denied');
    await world.until('closed', () => world.history(DB1).length === 2, HOUR_MS);
    expect(holderOf(stage)).toBe(second);
  });

  test('a call of the earlier run that lands late puts it on the dead replacement, and it is moved on from there', async () => {
    const stage = await staged();
    const { world } = stage;
    world.sim.addFault({ id: 'late', action: 'AssociateAddress', kind: 'late-landing', delayMs: 45_000 });
    const first = await activated(stage, () => undefined);
    await world.until('sent', () => world.sim.fired('late') > 0, 60_000);
    const second = await replacedAgain(stage, first);
    await world.until('closed', () => world.history(DB1).length === 2, HOUR_MS);
    await world.clock.advance(120_000);
    expect(holderOf(stage)).toBe(second);
  });
});
