import { type MemberView, MembersViewSchema, type StatusView, StatusViewSchema, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { ScriptedAgent } from '../../sim/cluster/scripted-agent.ts';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const DB2 = 'prod/db2';

/**
 * What one coordinator says of the first member, on every face it has, as it goes over the wire.
 */
async function facesOf({ coordinator }: Node) {
  const { members } = MembersViewSchema.parse(JSON.parse(JSON.stringify({ members: coordinator.api.members() })));
  const shown = members.find((one) => one.member === DB1) as MemberView;
  const status: StatusView = StatusViewSchema.parse(JSON.parse(JSON.stringify(coordinator.api.status())));
  const explained = coordinator.api.explain(DB1);
  const metrics = await coordinator.metrics.text();
  const metric = (name: string) =>
    metrics
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1];
  return { shown, status, explained, metric };
}

async function started() {
  const world = new ScenarioCluster();
  const old = world.seed(DB1);
  world.seed(DB2, { az: 'us-east-1b' });
  await world.up();
  await world.clock.advance(1_000);
  return { world, old };
}

const followersOf = (world: ScenarioCluster): Node[] =>
  world.nodes.filter((node) => !node.stopped && node.coordinator.leadership.current() === null);

describe('every coordinator shows what the leader judges', () => {
  test('of a member an operator stopped: left, on every face of all three, and what each hears itself as its own', async () => {
    const { world, old } = await started();
    world.sim.seed('StopInstances', { InstanceIds: [old.instanceId] });
    await world.until('left', () => world.mustLead().coordinator.leader.judged(DB1)?.verdict === 'left', 120_000);
    await world.clock.advance(10_000);
    const by = world.mustLead().id;
    for (const node of world.nodes) {
      const { shown, status, explained, metric } = await facesOf(node);
      const judged = { standing: 'current', by };
      expect(shown, node.id).toMatchObject({ verdict: 'left', judged });
      expect(shown.judged.ageMs).toBeLessThan(10_000);
      expect(explained, node.id).toMatchObject({ verdict: 'left', judged });
      expect(status).toMatchObject({ counts: { left: 1, alive: 1, dead: 0 }, judgement: judged });
      const counts = ['left', 'dead', 'alive'].map((verdict) =>
        metric(`understudy_members{group="prod",verdict="${verdict}"}`),
      );
      expect(counts).toEqual(['1', '0', '1']);
      expect(shown.ownView).toMatchObject({ observer: node.id, verdict: 'dead' });
      expect(explained?.ownView).toMatchObject({ observer: node.id, verdict: 'dead' });
      expect(status.observer.opinions).toMatchObject({ dead: 1, alive: 1, left: 0 });
      expect(metric('understudy_observer_opinions{verdict="dead"}')).toBe('1');
    }
  });

  test('a follower that hears nothing itself does not say dead of whom the leader judges alive', async () => {
    const { world } = await started();
    const [deaf] = followersOf(world) as [Node];
    world.network.cut('*', world.endpoints[Number(deaf.id.slice(1)) - 1]?.address ?? '');
    await world.clock.advance(30_000);
    const { shown, status, explained, metric } = await facesOf(deaf);
    expect(shown.ownView?.verdict).not.toBe('alive');
    expect([shown.verdict, explained?.verdict, status.counts.alive]).toEqual(['alive', 'alive', 2]);
    expect(metric('understudy_members{group="prod",verdict="alive"}')).toBe('2');
  });

  test('what is not enrolled for its tags is listed by all three, with the reason and a remedy', async () => {
    const { world } = await started();
    const { instanceId } = world.seed('prod/db9');
    world.sim.seed('CreateTags', { Resources: [instanceId], Tags: [{ Key: TAG.member, Value: 'DB 9' }] });
    await world.clock.advance(60_000);
    for (const { coordinator, id } of world.nodes) {
      const listed = coordinator.api.notEnrolled();
      expect(listed, id).toMatchObject([{ code: 'NameInvalid', text: expect.stringContaining('db-9 would do') }]);
      expect(listed[0]?.remedy).toContain('change the tag');
      const { problems } = coordinator.api.status();
      expect(problems.map((one) => one.code)).toContain('NameInvalid');
    }
    const before = world.kv.revision;
    await world.clock.advance(120_000);
    expect(world.kv.revision).toBe(before);
  });

  test('a fleet that is fine costs no write', async () => {
    const { world } = await started();
    await world.clock.advance(60_000);
    const before = world.kv.revision;
    await world.clock.advance(600_000);
    expect(world.kv.revision).toBe(before);
  });
});

describe('without a leader', () => {
  test('nobody says "leads"; the last judgement is shown as such, with its age', async () => {
    const { world } = await started();
    const leader = world.mustLead();
    world.kill(leader);
    for (const node of followersOf(world)) {
      // Alive, but cut off from etcd: none of them can tell who leads, and none may lead.
      node.kv.cut();
    }
    await world.clock.advance(42_000);
    for (const node of world.nodes.filter((one) => one !== leader)) {
      const { shown, status, explained, metric } = await facesOf(node);
      expect(status.leader, node.id).toBeNull();
      expect(status.coordinators.filter((one) => one.leader)).toEqual([]);
      expect(status.problems.map((one) => one.code)).toContain('NO_LEADER');
      expect(status.judgement).toMatchObject({ standing: 'last', by: leader.id });
      expect(status.judgement.ageMs).toBeGreaterThan(30_000);
      expect(status.judgement.ageMs).toBeLessThan(45_000);
      expect(shown).toMatchObject({ verdict: 'unknown', judged: { standing: 'last', verdict: 'alive' } });
      expect(shown.reason).toMatch(
        new RegExp(`^no leader judges now; last judgement of ${leader.id}, 4\\d\\.\\d s old: alive: `),
      );
      expect(explained?.reason).toBe(shown.reason);
      expect(metric('understudy_members{group="prod",verdict="alive"}')).toBeUndefined();
      expect(Number(metric('understudy_judgement_age_seconds'))).toBeGreaterThan(30);
    }
  });

  test('a leader that has lost etcd does not call itself the leader, though its key still stands there', async () => {
    const { world } = await started();
    const leader = world.mustLead();
    leader.kv.cut();
    await world.clock.advance(9_000);
    const { status, shown } = await facesOf(leader);
    expect([status.leader, status.isLeader, status.judgement.standing]).toEqual([null, false, 'last']);
    expect(shown.reason).toContain('no leader judges now; last judgement of');
  });

  test('the successor judges anew and says so, and its word is the same everywhere', async () => {
    const { world } = await started();
    const former = world.mustLead();
    world.kill(former);
    await world.until('a successor', () => world.leader() !== null, 60_000);
    await world.clock.advance(3_000);
    const by = world.mustLead().id;
    expect(by).not.toBe(former.id);
    for (const node of world.nodes.filter((one) => !one.stopped)) {
      const { shown, status } = await facesOf(node);
      expect(status.judgement, node.id).toMatchObject({ standing: 'current', by });
      expect(shown.judged).toMatchObject({ standing: 'current', by });
    }
  });

  test('nobody has judged at all: unknown, and why', async () => {
    const world = new ScenarioCluster({ coordinators: 1 });
    world.seed(DB1);
    const node = world.start(0);
    await world.until('enrolled', () => node.coordinator.api.members().length > 0, 60_000);
    world.remove(KEYS.judgement(DB1));
    node.kv.cut();
    await world.clock.advance(60_000);
    const { status } = await facesOf(node);
    expect(status.leader).toBeNull();
    expect(status.judgement.standing).not.toBe('current');
  });
});

describe('a coordinator that is restarted', () => {
  test('within its lease waits for its predecessor to end, says so, and has its id within a lease', async () => {
    const world = new ScenarioCluster({ coordinators: 1 });
    const { leaseId } = world.kv.grant(8_000);
    const left = {
      ...{ coordinatorId: 'c1', az: 'us-east-1a', udpEndpoint: '10.1.0.1:7946', httpUrl: 'http://x', writeId: 'w' },
      ...{
        startedAtWallMs: 1,
        version: 'test',
        answersHoldMs: 20_000,
        processId: 'before the restart',
        featureLevel: 1,
      },
      ...{ schemaVersion: 1, writtenBy: 'c1', writtenAtWallMs: 1 },
    };
    const put = { kind: 'put', key: KEYS.coordinator('c1'), value: JSON.stringify(left), leaseId } as const;
    world.kv.apply({ compare: [], writes: [put] });
    const node = world.start(0);
    await world.clock.advance(1_000);
    const codes = () => node.coordinator.api.status().problems.map((one) => one.code);
    const metric = async () =>
      (await node.coordinator.metrics.text()).split('\n').find((line) => line.startsWith('understudy_id_taken'));
    expect([node.coordinator.api.notReady().length > 0, codes()]).toEqual([
      true,
      expect.arrayContaining(['DUPLICATE_COORDINATOR_ID']),
    ]);
    expect(await metric()).toBe('understudy_id_taken 1');
    await world.until('it has its id', () => !codes().includes('DUPLICATE_COORDINATOR_ID'), 12_000);
    expect(await metric()).toBe('understudy_id_taken 0');
    expect(node.log.lines.filter((line) => line.event === 'presence.duplicate')).toEqual([]);
  });

  test('and one whose id another process has taken is told, and leaves it the word', async () => {
    const { world } = await started();
    const [first] = followersOf(world) as [Node];
    const record = world.kv.entries(KEYS.coordinator(first.id))[0];
    const other = { ...JSON.parse(record?.value ?? '{}'), processId: 'another', udpEndpoint: '10.9.9.9:1' };
    const { leaseId } = world.kv.grant(60_000);
    const put = { kind: 'put', key: KEYS.coordinator(first.id), value: JSON.stringify(other), leaseId } as const;
    world.kv.apply({ compare: [], writes: [put] });
    await world.clock.advance(8_000);
    const told = first.coordinator.api.status().problems.find((one) => one.code === 'DUPLICATE_COORDINATOR_ID');
    expect(told?.text).toContain('10.9.9.9:1');
    const before = world.kv.entries(KEYS.opinions).filter(({ key }) => key.endsWith(`/${first.id}`));
    const victim = world.activation(DB1)?.instanceId ?? '';
    await world.silence(victim);
    await world.clock.advance(7_000);
    const after = world.kv.entries(KEYS.opinions).filter(({ key }) => key.endsWith(`/${first.id}`));
    const own = first.coordinator.api.members().find(({ member }) => member === DB1)?.ownView?.verdict;
    expect(['suspect', 'dead']).toContain(own);
    expect(after).toEqual(before);
    await world.until('it has its id back', () => first.coordinator.api.notReady().length === 0, 120_000);
  });
});

test('an agent with a wrong key is named as that, on every coordinator, and its datagrams get no answer', async () => {
  const world = new ScenarioCluster();
  const old = world.seed(DB1);
  world.seed(DB2, { az: 'us-east-1b' });
  await world.up();
  await world.silence(old.instanceId);
  await world.clock.advance(1_000);
  const agent = new ScriptedAgent({
    ...{ member: DB1, instanceId: old.instanceId, master: new Uint8Array(32).fill(9) },
    ...{ socket: world.network.open('10.0.0.5'), clock: world.clock, coordinators: world.endpoints },
  });
  agent.start();
  world.pause('global');
  await world.clock.advance(30_000);
  for (const { coordinator, id } of world.nodes) {
    const { problems } = coordinator.api.status();
    const told = problems.find((one) => one.code === 'AGENT_NOT_AUTHENTIC');
    expect(told?.text, id).toMatch(
      /^datagrams from 10\.0\.0\.5 that claim to be prod\/db1 fail authentication \(\d+ in .*\): wrong key$/,
    );
    expect(told?.remedy).toContain('understudy keys derive');
    expect(coordinator.api.members().find(({ member }) => member === DB1)?.refusedDatagrams).toContain('wrong key');
    expect(coordinator.api.explain(DB1)?.evidence.map((one) => one.source)).toContain('refused datagrams');
    expect(coordinator.observer.counts.forged).toBeGreaterThan(20);
  }
  await agent.stop();
});
