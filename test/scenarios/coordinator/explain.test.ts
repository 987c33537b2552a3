import { ExplainViewSchema, type MemberId } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Node } from './node.ts';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';

async function started() {
  const world = new ScenarioCluster();
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

/** As it goes over the wire. */
function asked(node: Node, member: MemberId = DB1) {
  const view = node.coordinator.api.explain(member);
  return view && ExplainViewSchema.parse(JSON.parse(JSON.stringify(view)));
}
const gateOf = (view: ReturnType<typeof asked>, gate: string) => view?.gates.find((one) => one.gate === gate);

describe('explain', () => {
  test('a healthy member: every observer and EC2 with its age, every gate, and what would flip it', async () => {
    const { world, old } = await started();
    const view = asked(world.mustLead());
    expect(view).toMatchObject({ verdict: 'alive', instanceId: old.instanceId, decision: { kind: 'none' } });
    expect(view?.evidence.map((item) => item.source)).toEqual([
      ...['observer c1', 'observer c2', 'observer c3', 'ec2 state', 'ec2 status checks', 'agent checks'],
    ]);
    expect(view?.evidence.every((item) => item.ageMs !== null)).toBe(true);
    expect(view?.gates).toHaveLength(16);
    expect(view?.gates.filter((one) => !one.passes)).toEqual([]);
    expect(view?.wouldFlip).toEqual(['silence of 5.0 s at every observer ⇒ suspect']);
    expect(asked(world.mustLead(), 'prod/nobody')).toBeNull();
  });

  test('a held one: the gate that holds, with value and limit, and how it came to this', async () => {
    const { world, old } = await started();
    world.pause('group/prod');
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'Paused', 60_000);
    await world.clock.advance(100);
    const view = asked(world.mustLead());
    expect(view).toMatchObject({
      verdict: 'dead',
      decision: { kind: 'hold', reason: 'Paused', text: 'group/prod paused by ann: maintenance' },
      hold: { reason: 'Paused' },
    });
    expect(gateOf(view, 'Paused')).toMatchObject({ passes: false, value: 'group/prod paused by ann: maintenance' });
    expect(gateOf(view, 'NotEnoughObservers')).toMatchObject({
      value: '3 observers in 3 zones',
      limit: 'at least 2 in 2 zones, one outside us-east-1a',
    });
    const leader = world.mustLead().id;
    const own = view?.changes.filter((one) => one.by === `${leader} as leader`).map((one) => one.verdict);
    expect([own?.[0], own?.at(-1)]).toEqual(['dead', expect.stringMatching(/alive|unknown/)]);
    expect(own).toContain('suspect');
    expect(view?.changes.some((one) => one.by === `observer ${leader}` && one.verdict === 'dead')).toBe(true);
  });

  test('a follower says what it hears, and names what only the leader knows', async () => {
    const { world, old } = await started();
    const follower = world.nodes.find((node) => node.coordinator.leadership.current() === null);
    if (!follower) throw new Error('all lead');
    world.pause('global');
    world.crash(old.instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'Paused', 60_000);
    await world.clock.advance(100);
    const view = asked(follower);
    expect(view).toMatchObject({ verdict: 'dead', answeredBy: { leader: false }, hold: { reason: 'Paused' } });
    expect(view?.decision.text).toContain(`${world.mustLead().id} at http`);
    expect(view?.unknownHere.join()).toContain('EC2');
    expect(view?.evidence.map((item) => item.source)).toEqual([
      'observer c1',
      'observer c2',
      'observer c3',
      'agent checks',
    ]);
    expect(gateOf(view, 'Paused')?.passes).toBe(false);
    expect([gateOf(view, 'MassFailure'), gateOf(view, 'ObserverUnwell')]).toEqual([undefined, undefined]);
    expect(follower.coordinator.api.leader()).toMatchObject({ httpUrl: expect.stringMatching(/^http/) });
    expect(world.mustLead().coordinator.api.leader()).toBe('self');
  });

  test('an open recovery, then its replacement: the story goes on', async () => {
    const { world, old } = await started();
    world.crash(old.instanceId);
    await world.until('begun', () => world.intent(DB1) !== null, 60_000);
    await world.clock.advance(500);
    const view = asked(world.mustLead());
    expect(view).toMatchObject({ decision: { kind: 'recovering' }, recovery: world.intent(DB1)?.opId, gates: [] });
    await world.until('replaced', () => world.history(DB1).length > 0, 3_600_000);
    await world.clock.advance(10_000);
    const after = asked(world.mustLead());
    expect(after?.instanceId).not.toBe(old.instanceId);
    expect(gateOf(after, 'Cooldown')?.passes).toBe(false);
    expect(after?.console).toMatchObject({ instanceId: old.instanceId, text: expect.stringContaining('Kernel panic') });
    expect(new Set(after?.changes.map((one) => one.instanceId))).toEqual(new Set([old.instanceId, after?.instanceId]));
  });

  test('explaining changes nothing', async () => {
    const { world } = await started();
    const before = asked(world.mustLead());
    for (let i = 0; i < 50; i++) asked(world.mustLead());
    expect(asked(world.mustLead())).toEqual(before);
  });
});
