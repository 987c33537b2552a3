import { PolicyRecordSchema, parseRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import type { Node } from './node.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'ci/db1';
const HOUR_MS = 3_600_000;
const GOOD = {
  group: 'ci',
  policy: { detect: { suspectAfterMs: 4_000, confirmForMs: 2_000 }, guard: { bootGraceMs: 0, cooldownMs: 0 } },
};

async function started(over: ConstructorParameters<typeof ScenarioCluster>[0] = {}) {
  const world = new ScenarioCluster(over);
  const old = world.seed(DB1);
  world.seed('ci/db2', { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}

const keptOf = (world: ScenarioCluster) => {
  const entry = world.kv.entries(KEYS.policy('ci'))[0];
  return entry ? parseRecord(PolicyRecordSchema, entry.key, entry.value) : null;
};
const problemsOf = ({ coordinator }: Node) =>
  coordinator.api.status().problems.filter((one) => one.code !== 'PAUSE_OF_NOBODY');
const suspectAfterMs = (world: ScenarioCluster) =>
  world.nodes
    .filter((node) => !node.stopped)
    .map(({ coordinator }) => coordinator.view.policyOf('ci').detect.suspectAfterMs);

const REFUSED: readonly (readonly [string, object | string, string, readonly string[]])[] = [
  [
    '500 ms of silence with 1 s heartbeats',
    { group: 'ci', policy: { detect: { suspectAfterMs: 500 } } },
    'POLICY_REFUSED',
    ['500', '2000'],
  ],
  [
    'a silence longer than the warm-up',
    { group: 'ci', policy: { detect: { suspectAfterMs: 60_000 } } },
    'POLICY_REFUSED',
    ['60000', '20000'],
  ],
  ['the policy of another group', { group: 'other', policy: {} }, 'RECORD_UNREADABLE', ['"other"', '"ci"']],
  [
    'an unknown field',
    { group: 'ci', policy: { suspectAfter: 5 } },
    'RECORD_UNREADABLE',
    ['suspectAfter', 'did you mean policy.detect.suspectAfterMs?'],
  ],
  [
    'a rule within the policy',
    { group: 'ci', policy: { guard: { whenZoneLost: 'recover' } } },
    'RECORD_UNREADABLE',
    ['placements'],
  ],
  ['no JSON', '{"group":"ci"', 'RECORD_UNREADABLE', ['groups/ci']],
];

describe.each(REFUSED)('a policy that is refused: %s', (_, record, code, numbers) => {
  test('is a problem with both numbers; the last good one stays in force, also after everybody was started again', async () => {
    const { world, old } = await started();
    world.put(KEYS.group('ci'), GOOD);
    await world.clock.advance(3_000);
    expect(keptOf(world)?.policy).toMatchObject(GOOD.policy);
    world.put(KEYS.group('ci'), record);
    await world.clock.advance(60_000);
    expect(suspectAfterMs(world)).toEqual([4_000, 4_000, 4_000]);
    for (const node of world.nodes) {
      const [problem] = problemsOf(node);
      expect(problem?.code).toBe(code);
      for (const number of numbers) expect(problem?.text).toContain(number);
      expect(problem?.text).toContain('stays in force');
      expect(node.coordinator.api.members().map((one) => one.verdict)).toEqual(['alive', 'alive']);
      // Never suspected: nothing flaps.
      const verdicts = node.coordinator.api.explain(DB1)?.changes.map((one) => one.verdict) ?? [];
      expect(verdicts).not.toContain('suspect');
      expect(verdicts).not.toContain('dead');
    }
    for (const node of [...world.nodes]) await world.stop(node);
    for (const index of [0, 1, 2]) world.start(index);
    await world.clock.advance(60_000);
    expect(suspectAfterMs(world)).toEqual([4_000, 4_000, 4_000]);
    expect(keptOf(world)?.policy).toMatchObject(GOOD.policy);
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
    world.put(KEYS.group('ci'), {
      ...GOOD,
      policy: { ...GOOD.policy, detect: { ...GOOD.policy.detect, suspectAfterMs: 3_000 } },
    });
    await world.clock.advance(3_000);
    expect(suspectAfterMs(world)).toEqual([3_000, 3_000, 3_000]);
    expect(problemsOf(world.mustLead())).toEqual([]);
    world.expectHealthy();
  });

  test('with no good one before: watched by the default, held in sight, and nothing is done', async () => {
    const { world, old } = await started();
    world.put(KEYS.group('ci'), record);
    await world.clock.advance(60_000);
    expect(suspectAfterMs(world)).toEqual([5_000, 5_000, 5_000]);
    expect(problemsOf(world.mustLead())).toMatchObject([{ code, text: expect.stringContaining('are held') }]);
    world.crash(old.instanceId);
    await world.clock.advance(120_000);
    expect([world.launches, world.intent(DB1)]).toEqual([0, null]);
    expect(world.hold(DB1)?.reason).toBe('RecordUnreadable');
    world.remove(KEYS.group('ci'));
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
  });
});

describe('the policy in force', () => {
  test('is the default again once the record is removed, also for what is refused after that', async () => {
    const { world } = await started();
    world.put(KEYS.group('ci'), GOOD);
    await world.clock.advance(3_000);
    world.remove(KEYS.group('ci'));
    await world.clock.advance(3_000);
    expect(suspectAfterMs(world)).toEqual([5_000, 5_000, 5_000]);
    world.put(KEYS.group('ci'), { group: 'ci', policy: { detect: { suspectAfterMs: 500 } } });
    await world.clock.advance(3_000);
    expect(suspectAfterMs(world)).toEqual([5_000, 5_000, 5_000]);
    expect(problemsOf(world.mustLead())[0]?.text).toContain('stays in force');
  });

  test('of a recovery that is open is the one it began with', async () => {
    const { world, old } = await started();
    world.put(KEYS.group('ci'), GOOD);
    await world.clock.advance(3_000);
    world.crash(old.instanceId);
    await world.until('begun', () => world.intent(DB1) !== null, 60_000);
    const frozen = world.intent(DB1)?.plan.policy;
    world.put(KEYS.group('ci'), {
      group: 'ci',
      policy: { ...GOOD.policy, recover: { settleMs: 60_000, retainForMs: 0 } },
    });
    await world.clock.advance(1_000);
    expect(world.intent(DB1)?.plan.policy ?? frozen).toEqual(frozen);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('that a damaged policies/<group> stands beside is the group’s own', async () => {
    const { world, old } = await started();
    world.put(KEYS.group('ci'), GOOD);
    await world.clock.advance(3_000);
    world.put(KEYS.policy('ci'), '{');
    await world.clock.advance(5_000);
    expect(suspectAfterMs(world)).toEqual([4_000, 4_000, 4_000]);
    world.crash(old.instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
  });
});

test('an agent slower than its policy is a problem that names both numbers, and nothing flaps', async () => {
  const { world, old } = await started();
  const agent = world.agents.get(old.instanceId);
  if (!agent) throw new Error('no agent');
  agent.intervalMs = 10_000;
  await world.clock.advance(120_000);
  // The first time nobody knows yet how seldom it speaks.
  const changes = world.nodes.map(({ coordinator }) => coordinator.api.explain(DB1)?.changes.length ?? 0);
  await world.clock.advance(1_200_000);
  for (const [index, { coordinator }] of world.nodes.entries()) {
    expect(coordinator.api.explain(DB1)?.changes.length).toBe(changes[index]);
    const [problem] = coordinator.api.status().problems;
    expect(problem).toMatchObject({ code: 'HEARTBEATS_TOO_SLOW', text: expect.stringContaining('every 10.0 s') });
    expect(problem?.text).toContain('suspects after 5.0 s');
  }
  expect([world.launches, world.hold(DB1)]).toEqual([0, null]);
  world.crash(old.instanceId);
  await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
  world.expectReplaced(DB1, old.instanceId);
});
