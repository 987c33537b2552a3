import { DEFAULT_LADDER, type PlanView, PlanViewSchema } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';

async function started(policy: PolicyChange = {}, denied: readonly string[] = []) {
  const world = new ScenarioCluster({ policy });
  world.sim.setDeniedActions(denied);
  const old = world.seed(DB1, { userData: 'secret: of-the-agent' });
  for (const name of ['db2', 'db3', 'db4']) world.seed(`prod/${name}`, { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

async function planOf(world: ScenarioCluster, strategy: string | null = null): Promise<PlanView> {
  const answer = await world.clock.runUntilSettled(world.mustLead().coordinator.leader.plan(DB1, strategy));
  if (answer.kind !== 'plan') throw new Error(answer.text);
  return PlanViewSchema.parse(JSON.parse(JSON.stringify(answer.view)));
}

const callsIn = (view: PlanView) => view.steps.flatMap((step) => step.calls ?? []);
const wordOn = (view: PlanView, action: string) => callsIn(view).find((one) => one.action === action)?.permission.word;
const mutations = (world: ScenarioCluster) =>
  world.sim.log.calls().filter(({ action, executed }) => executed && !/^(?:Describe|Get)/.test(action));

describe('the plan of a member', () => {
  test('tells steps, calls, places, time and loss, and that EC2 would allow them, and does nothing', async () => {
    const { world, old } = await started();
    const before = mutations(world).length;
    const view = await planOf(world);
    expect(view.steps.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['fence', 'capture', 'image', 'permit-1', 'launch-1', 'verify-1', 'activate', 'done']),
    );
    const stop = callsIn(view).find(({ action }) => action === 'StopInstances');
    expect(stop).toMatchObject({ when: null, parameters: { InstanceIds: [old.instanceId], Force: true } });
    for (const action of ['CreateTags', 'StopInstances', 'CreateSnapshots', 'CreateNetworkInterface', 'RunInstances'])
      expect(wordOn(view, action), action).toBe('allowed');
    expect(wordOn(view, 'RegisterImage')).toBe('cannot-be-asked');
    expect(view.candidates).toHaveLength(1);
    expect(view.forecast?.servesAfter.typicalMs).toBeGreaterThan(0);
    expect(view.forecast).toMatchObject({ losesSinceWallMs: null, undo: expect.stringContaining('undo') });
    expect(JSON.stringify(view)).not.toContain(Buffer.from('secret: of-the-agent').toString('base64'));
    expect(mutations(world).length).toBe(before);
  });

  test('says what a group without a ladder does without, and nothing of it where there is one', async () => {
    const codes = async (policy: PolicyChange) => {
      const { world } = await started(policy);
      return (await planOf(world)).notices.map(({ code }) => code);
    };
    expect(await codes({})).toContain('NoLadder');
    expect(await codes({ recover: { ladder: DEFAULT_LADDER } })).not.toContain('NoLadder');
  });

  test('says which call EC2 would deny; it is a readiness problem with its remedy until it is allowed', async () => {
    const { world } = await started();
    world.sim.setDeniedActions(['CreateSnapshots']);
    const view = await planOf(world);
    expect(wordOn(view, 'CreateSnapshots')).toBe('denied');
    expect(view.notices.map(({ code }) => code)).toContain('PermissionMissing');
    const { leader } = world.mustLead().coordinator;
    const problems = () =>
      leader
        .board()
        ?.plans()
        .plans.find(({ member }) => member === DB1)?.problems ?? [];
    await world.until('a problem', () => problems().some(({ code }) => code === 'PermissionMissing'), 3_600_000);
    expect(problems().find(({ code }) => code === 'PermissionMissing')?.text).toContain('iam-policy');
    world.sim.setDeniedActions([]);
    await world.until('none', () => problems().length === 0, 3_600_000);
  });

  test('of every member stands in one list, without a question to EC2', async () => {
    const { world } = await started();
    const { leader } = world.mustLead().coordinator;
    await world.until('all looked at', () => leader.board()?.plans().notLookedAt.length === 0, 600_000);
    const asked = world.sim.log.lastSeq;
    const plans = leader.board()?.plans().plans ?? [];
    expect(plans.map(({ member }) => member).toSorted()).toEqual([DB1, 'prod/db2', 'prod/db3', 'prod/db4']);
    expect(plans.every((one) => one.worst === one.strategy && one.rungs.length === 1)).toBe(true);
    expect(plans.every((one) => one.strategy === 'snapshot-and-replace' && one.forecast !== null)).toBe(true);
    expect(world.sim.log.lastSeq).toBe(asked);
  });
});

describe('the plan of a member with a ladder', () => {
  const LADDER: PolicyChange = { recover: { ladder: DEFAULT_LADDER } };
  const summaryOf = (world: ScenarioCluster) => {
    const found = world
      .mustLead()
      .coordinator.leader.board()
      ?.plans()
      ?.plans.find(({ member }) => member === DB1);
    if (!found) throw new Error('it was not looked at');
    return found;
  };

  test('is, while it answers, the one by which it is brought back when it goes dark', async () => {
    const { world, old } = await started(LADDER);
    const view = await planOf(world);
    expect(view).toMatchObject({ verdict: 'alive', supposes: { kind: 'silent' }, strategy: { name: 'stop-start' } });
    expect(view.losses.map(({ code }) => code)).toContain('MemoryLost');
    expect(view.rungs.map(({ rung, said, next }) => [rung, said, next])).toEqual([
      ['reboot', 'skipped', null],
      ['stop-start', 'taken', 'reattach'],
      ['reattach', 'later', 'snapshot-and-replace'],
      ['snapshot-and-replace', 'later', null],
    ]);
    expect(view.rungs.every(({ why, proof }) => why !== '' && proof !== '')).toBe(true);
    world.pause('global');
    world.crash(old.instanceId);
    const verdict = () => world.mustLead().coordinator.leader.judged(DB1)?.verdict;
    await world.until('it is dead', () => verdict() === 'dead', 3_600_000);
    const then = await planOf(world);
    expect(then).toMatchObject({ supposes: { kind: 'judged' }, strategy: { name: 'stop-start' }, token: view.token });
    expect(then.losses).toEqual(view.losses);
  });

  test('can be had by any way beforehand, and does nothing', async () => {
    const { world } = await started(LADDER);
    const before = mutations(world).length;
    for (const way of DEFAULT_LADDER.rungs) {
      const view = await planOf(world, way);
      expect(view).toMatchObject({ supposes: { kind: 'asked' }, strategy: { name: way }, problems: [] });
      expect(view.steps.length).toBeGreaterThan(0);
      expect(view.forecast?.servesAfter.typicalMs).toBeGreaterThan(0);
    }
    expect(mutations(world).length).toBe(before);
  });

  /** Somebody looks at all plans, so that EC2 is asked about every call of every way. */
  async function allAsked(world: ScenarioCluster): Promise<void> {
    for (const way of [...DEFAULT_LADDER.rungs, ...DEFAULT_LADDER.rungs]) {
      await planOf(world, way);
      await world.clock.advance(20_000);
    }
    const at = world.clock.wallMs();
    const { leader } = world.mustLead().coordinator;
    const isLooked = () =>
      leader
        .board()
        ?.plans()
        .plans.some((one) => one.member === DB1 && one.lookedAtWallMs > at) === true;
    await world.until('looked at again', isLooked, 700_000);
  }

  test('is looked at by every way: how it begins, the longest, and what EC2 cannot be asked', async () => {
    const { world } = await started(LADDER);
    await allAsked(world);
    const { strategy, worst, rungs, permissions, problems } = summaryOf(world);
    expect([strategy, problems]).toEqual(['stop-start', []]);
    const slowMs = (name: string | null) => rungs.find(({ rung }) => rung === name)?.forecast?.servesAfter.slowMs;
    expect(slowMs(worst)).toBe(Math.max(...rungs.map(({ rung }) => slowMs(rung) ?? 0)));
    expect(rungs.map(({ rung, said }) => [rung, said])).toEqual([
      ['reboot', 'skipped'],
      ['stop-start', 'taken'],
      ['reattach', 'later'],
      ['snapshot-and-replace', 'later'],
    ]);
    expect(permissions).toMatchObject({ unknown: 0, denied: [], refused: [] });
    expect(permissions.cannotBeAsked).toContain('TerminateInstances');
  });

  test('says which calls of whatever way are denied, though none is needed yet', async () => {
    const denied = ['AttachVolume', 'DetachVolume', 'RebootInstances', 'StartInstances'];
    const { world } = await started(LADDER, denied);
    await allAsked(world);
    const { permissions, problems } = summaryOf(world);
    expect([...permissions.denied].toSorted()).toEqual(denied);
    expect(problems.map(({ code }) => code)).toEqual(denied.map(() => 'PermissionMissing'));
  });
});
