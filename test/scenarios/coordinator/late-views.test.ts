import { hasCode, InvariantViolation, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { aboutToBegin, LAG_MS } from './about-to-begin.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;

describe('views of etcd that lag behind', () => {
  test('without any interference the intent follows at once, and the member is replaced once', async () => {
    const { world, old } = await aboutToBegin();
    expect(await world.until('intent', () => world.intent(DB1) !== null, 60_000)).toBeLessThan(LAG_MS);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('a pause the leader has not seen yet stops the intent all the same', async () => {
    const { world } = await aboutToBegin();
    world.pause('group/prod');
    await world.clock.advance(120_000);
    expect(world.intent(DB1)).toBeNull();
    expect(world.hold(DB1)?.reason).toBe('Paused');
    const refusals = world.nodes.flatMap((node) =>
      node.log.lines.filter((line) => line.event === 'recovery.not_begun'),
    );
    expect(refusals.map((line) => line.fields.text)).toContain('what it was decided on changed meanwhile');
  });

  test('an opinion the leader has not seen yet stops the intent all the same', async () => {
    const { world } = await aboutToBegin();
    const key = KEYS.opinion(DB1, 'c2');
    const dead = world.kv.entries(key)[0]?.value ?? '';
    world.put(key, dead.replace('"dead"', '"alive"'));
    await world.clock.advance(LAG_MS - 500);
    expect(world.intent(DB1)).toBeNull();
  });

  test('a preparation the leader has not seen yet stops the intent of its name; the next ordinal begins', async () => {
    const { world, old } = await aboutToBegin();
    world.put(KEYS.preparation(opIdOf(old.instanceId)), '{"of":"a newer build"}');
    await world.clock.advance(LAG_MS - 500);
    expect(world.intent(DB1)).toBeNull();
    await world.until('begun', () => world.intent(DB1) !== null, 60_000);
    expect(world.intent(DB1)).toMatchObject({ ordinal: 1, opId: opIdOf(old.instanceId, 1) });
  });

  test('an activation that moved is no longer this decision’s', async () => {
    const { world } = await aboutToBegin();
    world.put(KEYS.activation(DB1), { member: DB1, incarnation: 9, instanceId: 'i-other', opId: null, ordinal: 0 });
    await world.clock.advance(120_000);
    expect(world.intent(DB1)).toBeNull();
  });
});

describe('the last moments before an intent', () => {
  test('the member speaks again while its plan is made: nothing is begun', async () => {
    const world = new ScenarioCluster({ latency: { 'api.DescribeVolumes.response': [4_000, 4_000] } });
    const old = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    await world.silence(old.instanceId);
    const leader = world.mustLead();
    await world.until('dead', () => leader.coordinator.leader.judged(DB1)?.verdict === 'dead', 60_000);
    await world.clock.advance(1_000);
    expect(world.intent(DB1)).toBeNull();
    world.speak(old.instanceId);
    await world.clock.advance(120_000);
    expect([world.intent(DB1), world.hold(DB1), world.launches]).toEqual([null, null, 0]);
    expect(leader.log.events()).toContain('recovery.not_begun');
    expect(leader.coordinator.leader.judged(DB1)?.verdict).toBe('alive');
  });

  test('a new leader does nothing before it sees everything up to its own election', async () => {
    const world = new ScenarioCluster({ watchLatencyMs: LAG_MS });
    const old = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    world.crash(old.instanceId);
    await world.until(
      'under way',
      () => world.kv.entries(KEYS.journal).some((one) => one.key.endsWith('/capture')),
      HOUR_MS,
    );
    world.kill(world.mustLead());
    await world.until('another leads', () => world.leader() !== null, 30_000);
    const next = world.mustLead();
    const term = next.coordinator.leadership.current()?.number ?? 0;
    expect(next.coordinator.view.revision).toBeLessThan(term);
    await world.until('it resumes', () => next.log.events().includes('recovery.run'), 30_000);
    expect(next.coordinator.view.revision).toBeGreaterThanOrEqual(term);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(60_000);
    world.expectReplaced(DB1, old.instanceId);
  });
});

describe('a predecessor that somebody starts again while one coordinator has lost etcd', () => {
  /**
   * The old instance is back within the time for which that coordinator still answers; its view is
   * older than the intent.
   */
  async function comesBack() {
    const world = new ScenarioCluster({
      latency: {
        'api.DescribeVolumes.response': [3_000, 3_000],
        'instance.stop-skip-os': [2_000, 2_000],
        'instance.pending': [1_000, 1_000],
      },
    });
    const old = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    await world.up();
    await world.silence(old.instanceId);
    const leader = world.mustLead();
    await world.until('dead', () => leader.coordinator.leader.judged(DB1)?.verdict === 'dead', 60_000);
    await world.clock.advance(1_000);
    expect(world.intent(DB1)).toBeNull();
    const blind = world.nodes.find((node) => node !== leader);
    if (!blind) throw new Error('no second coordinator');
    blind.kv.cut();
    const blindMs = world.clock.monotonicMs();
    const state = () => world.sim.core.region.instances.get(old.instanceId)?.state;
    await world.until('fenced', () => world.intent(DB1) !== null && state() === 'stopped', 30_000);
    world.sim.seed('StartInstances', { InstanceIds: [old.instanceId] });
    await world.until('running again', () => state() === 'running', 10_000);
    world.speak(old.instanceId);
    const agent = world.agents.get(old.instanceId);
    if (!agent) throw new Error('no agent');
    await world.clock.advance(2_500);
    return { world, blind, agent, sinceMs: world.clock.monotonicMs() - blindMs };
  }

  test('that coordinator, which would still answer, does not say active; the others say fenced', async () => {
    const { world, blind, agent, sinceMs } = await comesBack();
    expect(sinceMs).toBeLessThan(15_000);
    expect(blind.coordinator.view.records.intents.has(DB1)).toBe(false);
    expect(blind.coordinator.view.contactAgeMs()).toBeLessThan(20_000);
    expect([...agent.told.values()].sort()).toEqual(['fenced', 'fenced', 'unknown']);
    await world.clock.advance(60_000);
    expect([...agent.everTold].sort()).toEqual(['fenced', 'unknown']);
  });

  test('it says fenced as soon as it has etcd again', async () => {
    const { world, blind, agent } = await comesBack();
    blind.kv.heal();
    await world.clock.advance(12_000);
    expect([...agent.told.values()]).toEqual(['fenced', 'fenced', 'fenced']);
    expect(agent.everTold.has('active')).toBe(false);
  });

  test('an agent of an instance that was not replaced serves again within two proofs of its restart', async () => {
    const world = new ScenarioCluster();
    const { instanceId } = world.seed(DB1);
    await world.up();
    await world.silence(instanceId);
    world.speak(instanceId);
    const told = () => [...(world.agents.get(instanceId)?.told.values() ?? [])];
    const tookMs = await world.until('active', () => told().includes('active'), 10_000);
    expect(tookMs).toBeLessThanOrEqual(2_200);
    await world.clock.advance(3_000);
    expect(told()).toEqual(['active', 'active', 'active']);
  });
});

describe('refusals', () => {
  test('an etcd with lease bugs: nothing is written, and the process is told to end', async () => {
    const world = new ScenarioCluster({ coordinators: 1, etcdVersions: ['3.4.23'] });
    const node = world.start(0);
    await world.clock.advance(30_000);
    expect(node.fatal).toHaveLength(1);
    expect(hasCode(node.fatal[0], 'STORE_TOO_OLD')).toBe(true);
    expect(world.kv.entries()).toEqual([]);
  });

  test('a member that turns out to be too old later is found', async () => {
    const world = new ScenarioCluster({ coordinators: 1 });
    const node = world.start(0);
    await world.clock.advance(30_000);
    expect(world.leader()).toBe(node);
    world.kv.versions = ['3.5.30', '3.5.10'];
    await world.clock.advance(600_000);
    expect(hasCode(node.fatal[0], 'STORE_TOO_OLD')).toBe(true);
  });

  test('a broken invariant in a recovery ends the process, once', async () => {
    const runner = {
      run: () => Promise.reject(new InvariantViolation('1 != 2')),
      activity: () => null,
    };
    const world = new ScenarioCluster({ runner });
    const old = world.seed(DB1);
    world.seed('prod/db2');
    await world.up();
    world.crash(old.instanceId);
    await world.until('told to end', () => world.nodes.some((node) => node.fatal.length > 0), 60_000);
    await world.clock.advance(60_000);
    expect(world.nodes.flatMap((node) => node.fatal)).toHaveLength(1);
  });

  test.each([
    ['with a living lease is noticed', 60_000, true],
    ['that somebody wrote by hand is written over', null, false],
  ])('a namesake %s', async (_, leaseMs, noticed) => {
    const world = new ScenarioCluster({ coordinators: 2 });
    world.start(0);
    await world.clock.advance(10_000);
    const record = world.kv.entries(KEYS.coordinator('c1'))[0]?.value ?? '';
    const other = { ...JSON.parse(record), processId: 'another', udpEndpoint: '10.9.9.9:7946' };
    const lease = leaseMs === null ? {} : { leaseId: world.kv.grant(leaseMs).leaseId };
    const put = { kind: 'put', key: KEYS.coordinator('c1'), value: JSON.stringify(other), ...lease } as const;
    world.kv.apply({ compare: [], writes: [put] });
    await world.clock.advance(10_000);
    const codes = world.nodes[0]?.coordinator.api.notReady().map(({ code }) => code);
    expect(codes?.includes('DUPLICATE_COORDINATOR_ID')).toBe(noticed);
    expect(world.kv.entries(KEYS.coordinator('c1'))[0]?.value === record).toBe(false);
    expect(world.kv.entries(KEYS.coordinator('c1'))[0]?.value.includes('10.9.9.9')).toBe(noticed);
  });

  test('garbage datagrams are counted and change nothing', async () => {
    const world = new ScenarioCluster();
    world.seed(DB1);
    await world.up();
    const node = world.mustLead();
    const droppedCount = () => {
      const { counts } = node.coordinator.observer;
      return counts.malformed + counts['unknown-agent'] + counts['unknown-key'] + counts.forged;
    };
    const before = droppedCount();
    const stranger = world.network.open('10.66.6.6');
    const to = world.endpoints[world.nodes.indexOf(node)] ?? { address: '', port: 0 };
    for (const size of [0, 1, 95, 96, 160, 200, 1_400]) await stranger.send(new Uint8Array(size).fill(1), to);
    await world.clock.advance(1_000);
    expect(droppedCount() - before).toBe(7);
    expect(await node.coordinator.metrics.text()).toMatch(
      /understudy_datagrams_dropped_total\{reason="malformed"\} [1-9]/,
    );
    world.expectHealthy();
  });
});
