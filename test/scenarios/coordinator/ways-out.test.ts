import type { SeededInstance } from '@understudy/cloud-sim';
import type { OperatorAnswer, OperatorCommand } from '@understudy/coordinator/testing';
import { opIdOf, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

interface Prepared {
  readonly world: ScenarioCluster;
  readonly old: SeededInstance;
}

/**
 * EC2 launches nothing in the only zone there is: the recovery is held until somebody does
 * something.
 */
async function stuck(): Promise<Prepared> {
  const world = new ScenarioCluster({ policy: { guard: { cooldownMs: 0 } } });
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  const refused = { action: 'RunInstances', kind: 'error', code: 'Unsupported', httpStatus: 400 } as const;
  world.sim.addFault({ id: 'refused', ...refused, times: 100 });
  world.crash(old.instanceId);
  await world.until('held', () => world.hold(DB1)?.reason === 'NoPlacementLeft', HOUR_MS);
  return { world, old };
}

const ask = (
  world: ScenarioCluster,
  over: Partial<OperatorCommand> = {},
  node = world.mustLead(),
): Promise<OperatorAnswer> => {
  const command = {
    member: DB1,
    kind: 'retry',
    by: 'ann',
    why: 'a test',
    opId: null,
    loss: null,
    leaveOpen: false,
  } as const;
  return world.clock.runUntilSettled(node.coordinator.api.operate({ ...command, ...over }));
};

const stateOf = (world: ScenarioCluster, instanceId: string) => world.sim.core.region.instances.get(instanceId)?.state;

describe('a plan that cannot work', () => {
  test('is made again from the corrected policy, while the recovery is held', async () => {
    const { world, old } = await stuck();
    world.sim.clearFaults();
    const subnetId = world.sim.defaultResources.subnets['us-east-1c'] ?? '';
    world.put(KEYS.group('prod'), {
      group: 'prod',
      policy: { guard: { cooldownMs: 0 }, recover: { placements: [{ subnetId }] } },
    });
    await world.clock.advance(1_000);
    expect(await ask(world, { kind: 'replan' })).toMatchObject({ kind: 'accepted', repeated: false });
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
    expect(world.sim.core.region.instances.get(world.activation(DB1)?.instanceId ?? '')?.az).toBe('us-east-1c');
    expect(world.history(DB1)[0]?.acts).toMatchObject([{ kind: 'replan', by: 'ann', why: 'a test' }]);
  });

  test('is tried again at once, although the next try by itself was far away', async () => {
    const { world, old } = await stuck();
    world.sim.clearFaults();
    expect(await ask(world)).toMatchObject({ kind: 'accepted' });
    expect(await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS)).toBeLessThan(300_000);
    world.expectReplaced(DB1, old.instanceId);
  });
});

describe('a member whose recovery was abandoned', () => {
  async function abandoned(): Promise<Prepared> {
    const stage = await stuck();
    const { world, old } = stage;
    expect(await ask(world, { kind: 'abandon', opId: opIdOf(old.instanceId) })).toMatchObject({ kind: 'accepted' });
    await world.until('closed', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.history(DB1)).toMatchObject([{ outcome: 'abandoned', oldInstanceId: old.instanceId }]);
    world.sim.clearFaults();
    return stage;
  }

  test('waits for a person, visibly, with the commands that go on', async () => {
    const { world, old } = await abandoned();
    await world.until('held', () => world.hold(DB1)?.reason === 'Abandoned', 60_000);
    await world.clock.advance(2 * HOUR_MS);
    expect(world.hold(DB1)).toMatchObject({ reason: 'Abandoned', opId: null });
    expect(world.hold(DB1)?.text).toContain(`understudy recover ${DB1}`);
    expect([world.launches, world.intent(DB1), stateOf(world, old.instanceId)]).toEqual([0, null, 'stopped']);
    world.expectHealthy();
  });

  test('serves again once its instance is started, and is recovered as ever when that one fails', async () => {
    const { world, old } = await abandoned();
    await world.clock.advance(HOUR_MS);
    world.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    const alive = () =>
      world
        .mustLead()
        .coordinator.api.members()
        .find((one) => one.member === DB1)?.verdict === 'alive';
    await world.until('alive', alive, 600_000);
    await world.until('not held', () => world.hold(DB1) === null, 60_000);
    const told = () => [...(world.agents.get(old.instanceId)?.told.values() ?? [])];
    await world.until('serves', () => told().includes('active'), 60_000);
    world.crash(old.instanceId);
    await world.until('activated', () => world.activation(DB1)?.incarnation === 2, HOUR_MS);
    expect(world.activation(DB1)).toMatchObject({ opId: opIdOf(old.instanceId, 1) });
    expect(world.launches).toBe(1);
  });

  test('that somebody asked for, while a pause holds it, shows the request on every coordinator until it is carried out', async () => {
    const { world } = await abandoned();
    await world.until('held', () => world.hold(DB1)?.reason === 'Abandoned', 60_000);
    world.pause('global');
    await world.clock.advance(1_000);
    expect(await ask(world, { kind: 'recover' })).toMatchObject({ kind: 'accepted' });
    await world.clock.advance(120_000);
    const asked = { member: DB1, kind: 'recover', by: 'ann', why: 'a test', loss: null, leaveOpen: false };
    for (const { coordinator } of world.nodes) {
      expect(coordinator.api.status().requests).toMatchObject([asked]);
      expect(coordinator.api.recoveries().requests).toMatchObject([asked]);
      expect(coordinator.api.explain(DB1)?.request).toMatchObject(asked);
      expect(await coordinator.metrics.text()).toContain('understudy_operator_requests_pending 1');
    }
    world.remove(KEYS.pause('global'));
    await world.until('activated', () => world.activation(DB1)?.incarnation === 2, HOUR_MS);
    expect(world.mustLead().coordinator.api.status().requests).toEqual([]);
  });

  test.each(['recover', 'retry'] as const)('is recovered when somebody asks: %s', async (kind) => {
    const { world, old } = await abandoned();
    await world.until('held', () => world.hold(DB1)?.reason === 'Abandoned', 60_000);
    expect(await ask(world, { kind })).toMatchObject({ kind: 'accepted', request: { kind: 'recover' } });
    await world.until('activated', () => world.activation(DB1)?.incarnation === 2, HOUR_MS);
    await world.until('closed', () => world.history(DB1).length === 2, HOUR_MS);
    expect(world.activation(DB1)).toMatchObject({ opId: opIdOf(old.instanceId, 1) });
    expect([world.launches, world.hold(DB1), world.kv.entries(KEYS.requests).length]).toEqual([1, null, 0]);
    expect(world.history(DB1).find((one) => one.outcome === 'replaced')?.acts).toMatchObject([
      { kind: 'recover', by: 'ann' },
    ]);
  });
});

describe('our own stop, with the records of its recovery deleted by hand', () => {
  async function forgotten(): Promise<Prepared> {
    const stage = await stuck();
    const { world } = stage;
    for (const prefix of [KEYS.intents, KEYS.journal, KEYS.holds])
      world.kv.apply({ compare: [], writes: [{ kind: 'deletePrefix', prefix }] });
    world.sim.clearFaults();
    return stage;
  }

  test('is never an operator’s: held, with what a person can do', async () => {
    const { world, old } = await forgotten();
    expect(world.sim.core.region.instances.get(old.instanceId)?.tags[TAG.fencedBy]).toBe(opIdOf(old.instanceId));
    await world.until('held', () => world.hold(DB1)?.reason === 'StoppedByOwnFence', 120_000);
    await world.clock.advance(HOUR_MS);
    expect(world.hold(DB1)?.text).toContain(`understudy recover ${DB1}`);
    const view = world
      .mustLead()
      .coordinator.api.members()
      .find((one) => one.member === DB1);
    expect([view?.verdict, world.launches]).toEqual(['unknown', 0]);
  });

  test('also after every coordinator was started anew', async () => {
    const { world } = await forgotten();
    for (const node of [...world.nodes]) await world.stop(node);
    for (const index of world.endpoints.keys()) world.start(index);
    await world.until('held', () => world.hold(DB1)?.reason === 'StoppedByOwnFence', 300_000);
    expect(await ask(world, { kind: 'recover' })).toMatchObject({ kind: 'accepted' });
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.launches).toBe(1);
  });

  test('goes on by command, with one launch', async () => {
    const { world, old } = await forgotten();
    await world.until('held', () => world.hold(DB1)?.reason === 'StoppedByOwnFence', 120_000);
    expect(await ask(world, { kind: 'recover' })).toMatchObject({ kind: 'accepted' });
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.activation(DB1)).toMatchObject({ incarnation: 2, opId: opIdOf(old.instanceId, 1) });
    expect([world.launches, world.hold(DB1)]).toEqual([1, null]);
  });

  /**
   * Only the intent is deleted, and EC2 has refused to mark the instance: the journal is the only
   * trace.
   */
  async function journalLeft(): Promise<Prepared> {
    const world = new ScenarioCluster({ policy: { guard: { cooldownMs: 0, flapLimit: 9 } } });
    const old = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    const denied = { kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 } as const;
    world.sim.addFault({ id: 'denied', action: 'CreateTags', ...denied, times: 100 });
    const refused = { action: 'RunInstances', kind: 'error', code: 'Unsupported', httpStatus: 400 } as const;
    world.sim.addFault({ id: 'refused', ...refused, times: 100 });
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'NoPlacementLeft', HOUR_MS);
    expect(world.sim.fired('denied')).toBeGreaterThan(0);
    expect(world.sim.core.region.instances.get(old.instanceId)?.tags[TAG.fencedBy]).toBeUndefined();
    world.remove(KEYS.intent(DB1));
    world.sim.clearFaults();
    await world.until('held', () => world.hold(DB1)?.reason === 'StoppedByOwnFence', 120_000);
    expect(world.kv.entries(KEYS.journalStep(opIdOf(old.instanceId), 'fence'))).toHaveLength(1);
    return { world, old };
  }

  const started = async ({ world, old }: Prepared): Promise<void> => {
    world.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    const told = () => [...(world.agents.get(old.instanceId)?.told.values() ?? [])];
    await world.until('serves', () => told().includes('active'), 600_000);
    await world.clock.advance(600_000);
  };

  /**
   * Replaced under the next ordinal, from snapshots that are none of these, after a fence of its
   * own.
   */
  async function replacedAnew({ world, old }: Prepared, before: ReadonlySet<string>): Promise<void> {
    await world.until('activated', () => world.activation(DB1)?.incarnation === 2, HOUR_MS);
    expect(world.activation(DB1)).toMatchObject({ opId: opIdOf(old.instanceId, 1) });
    const { instanceId = '' } = world.activation(DB1) ?? {};
    const disks = world.sim.core.region.volumes
      .all()
      .filter((one) => one.attachments.some((attachment) => attachment.instanceId === instanceId));
    expect(disks.length).toBeGreaterThan(0);
    expect(disks.filter((one) => before.has(one.snapshotId ?? ''))).toEqual([]);
    await world.until('closed', () => world.history(DB1).length > 0, HOUR_MS);
    expect([world.launches, world.kv.entries(KEYS.journal).length]).toEqual([1, 0]);
  }

  const snapshotsOf = (world: ScenarioCluster) => new Set(world.sim.core.region.snapshots.all().map((one) => one.id));

  test('but for a journal: its fence and snapshots are not believed once the instance has run again', async () => {
    const stage = await journalLeft();
    const before = snapshotsOf(stage.world);
    await started(stage);
    stage.world.crash(stage.old.instanceId);
    await replacedAnew(stage, before);
  });

  test('but for a journal that cannot be read: likewise', async () => {
    const stage = await journalLeft();
    const { world, old } = stage;
    const before = snapshotsOf(world);
    await started(stage);
    const journal = world.kv.entries(KEYS.journalOf(opIdOf(old.instanceId)));
    for (const { key } of journal) world.put(key, '{"schemaVersion": 99}');
    world.crash(old.instanceId);
    await replacedAnew(stage, before);
  });

  test('but for a journal: goes on by command, under names of its own, although nothing else tells that we stopped it', async () => {
    const stage = await journalLeft();
    const before = snapshotsOf(stage.world);
    expect(await ask(stage.world, { kind: 'recover' })).toMatchObject({ kind: 'accepted' });
    await replacedAnew(stage, before);
  });

  test('a tag that EC2 denies does not keep the fence from stopping it', async () => {
    const world = new ScenarioCluster();
    const old = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    const denied = { kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 } as const;
    world.sim.addFault({ id: 'denied', action: 'CreateTags', ...denied, times: 100 });
    world.crash(old.instanceId);
    await world.until('stopped', () => stateOf(world, old.instanceId) === 'stopped', 120_000);
    expect([world.sim.fired('denied') > 0, world.hold(DB1)]).toEqual([true, null]);
  });
});

describe('a request', () => {
  test('is off the table once it is carried out', async () => {
    const { world } = await stuck();
    expect(await ask(world, { kind: 'retry' })).toMatchObject({ kind: 'accepted', repeated: false });
    await world.until('done', () => (world.intent(DB1)?.acts?.length ?? 0) === 1, 60_000);
    expect(world.kv.entries(KEYS.requests)).toEqual([]);
    world.expectHealthy();
  });

  test('asked twice while it waits is one request; asked for something else it is replaced', async () => {
    const { world } = await stuck();
    // A new plan is read from EC2, which does not answer: the request waits.
    world.sim.addFault({ id: 'down', action: '*', kind: 'error', code: 'InternalError', httpStatus: 500, times: 1e6 });
    const entries = () => world.kv.entries(KEYS.requests);
    expect(await ask(world, { kind: 'replan' })).toMatchObject({ kind: 'accepted', repeated: false });
    await world.clock.advance(5_000);
    const [first] = entries();
    const again = await ask(world, { kind: 'replan', by: 'bob', why: 'has nobody asked?' });
    expect(again).toMatchObject({ kind: 'accepted', repeated: true, request: { kind: 'replan', by: 'ann' } });
    expect(entries()).toEqual([first]);
    expect(await ask(world, { kind: 'abandon' })).toMatchObject({ kind: 'accepted', repeated: false });
    expect(entries()).toHaveLength(1);
    world.sim.clearFaults();
    await world.until('closed', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.history(DB1)[0]?.acts).toMatchObject([{ kind: 'abandon', by: 'ann' }]);
    expect(entries()).toEqual([]);
  });

  test('that cannot be about anything is refused, with the reason', async () => {
    const { world, old } = await stuck();
    const code = async (over: Partial<OperatorCommand>, node = world.mustLead()) => {
      const answer = await ask(world, over, node);
      return answer.kind === 'refused' ? answer.code : answer.kind;
    };
    expect(await code({ member: 'prod/nobody' })).toBe('MEMBER_UNKNOWN');
    expect(await code({ member: 'prod/db2' })).toBe('NOT_STOPPED_BY_US');
    expect(await code({ member: 'prod/db2', kind: 'replan' })).toBe('NO_OPEN_RECOVERY');
    expect(await code({ opId: opIdOf(old.instanceId, 1) })).toBe('OTHER_RECOVERY');
    const follower = world.nodes.find((node) => node !== world.mustLead());
    expect(await code({}, follower)).toBe('UNAVAILABLE');
    expect(world.kv.entries(KEYS.requests)).toEqual([]);
  });

  test('about a recovery that is not open is dropped, and touches nothing', async () => {
    const { world, old } = await stuck();
    const request = {
      member: DB1,
      kind: 'abandon',
      opId: opIdOf(old.instanceId, 7),
      by: 'ann',
      why: 'late',
      atWallMs: 1,
    };
    world.put(KEYS.request(DB1), { ...request, loss: null, leaveOpen: false });
    await world.until('dropped', () => world.kv.entries(KEYS.requests).length === 0, 60_000);
    expect([world.history(DB1).length, world.intent(DB1)?.acts]).toEqual([0, undefined]);
  });
});
