import { joinedChanges } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB = 'prod/db1';
const READS = ['DescribeInstanceAttribute', 'DescribeRouteTables', 'DescribeSubnets'];

/** A member that dies, under a policy that prepares so much. */
async function died(prepareWhileSuspect: 'nothing' | 'reads' | 'trial') {
  const world = new ScenarioCluster({ policy: joinedChanges({ recover: { prepareWhileSuspect } }) });
  const old = world.seed(DB, {
    az: 'us-east-1a',
    elasticIp: true,
    dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 8 }],
  });
  for (const name of ['db2', 'db3', 'db4', 'db5'] as const) world.seed(`prod/${name}`, { az: 'us-east-1b' });
  await world.up();
  const calls: { readonly action: string; readonly input: Readonly<Record<string, unknown>> }[] = [];
  world.sim.onEvent((event) => {
    if (event.kind === 'call') calls.push({ action: event.action, input: event.input });
  });
  const crashedAtMs = world.clock.monotonicMs();
  world.crash(old.instanceId);
  const suspected = () => world.mustLead().coordinator.api.explain(DB)?.verdict === 'suspect';
  return { world, old, calls, crashedAtMs, suspected };
}

/** From the crash to the intent. */
async function begunAfterMs(how: 'nothing' | 'reads'): Promise<number> {
  const { world, crashedAtMs } = await died(how);
  await world.until('begun', () => world.intent(DB) !== null, 60_000);
  return world.clock.monotonicMs() - crashedAtMs;
}

describe('prepared while suspect', () => {
  test('a recovery begins sooner by the reads of its plan', async () => {
    const [without, prepared] = [await begunAfterMs('nothing'), await begunAfterMs('reads')];
    console.info(`from crash to intent: ${without} ms without, ${prepared} ms prepared`);
    expect(without - prepared).toBeGreaterThan(150);
  });

  test('explain says so, and the recovery replaces the member as ever', async () => {
    const { world, old, suspected } = await died('reads');
    await world.until('suspected', suspected, 30_000);
    await world.clock.advance(1_000);
    const evidence = world.mustLead().coordinator.api.explain(DB)?.evidence ?? [];
    expect(evidence.find((item) => item.source === 'preparation')?.text).toContain('prepared');
    await world.until('replaced', () => world.history(DB).length > 0, 900_000);
    world.expectReplaced(DB, old.instanceId);
    expect(world.mustLead().coordinator.leader.preparationCounts.used).toBe(1);
  });

  test('nothing that changes anything is sent for a suspect, and nothing is left when it is heard again', async () => {
    const { world, calls, suspected } = await died('trial');
    const [other] = ['prod/db2'] as const;
    const instanceId = world.activation(other)?.instanceId ?? '';
    await world.until('suspected', suspected, 30_000);
    await world.silence(instanceId);
    await world.until(
      'suspected',
      () => world.mustLead().coordinator.api.explain(other)?.verdict === 'suspect',
      30_000,
    );
    await world.clock.advance(700);
    world.speak(instanceId);
    await world.clock.advance(10_000);
    const about = calls.filter(({ input }) => JSON.stringify(input).includes(instanceId));
    expect(
      about.some(({ action }) => READS.includes(action)),
      'it was prepared',
    ).toBe(true);
    expect(about.filter(({ action }) => !action.startsWith('Describe'))).toEqual([]);
    expect(
      calls.filter(({ action, input }) => action === 'RunInstances' && input['DryRun'] !== true).length,
    ).toBeLessThan(2);
    expect(world.mustLead().coordinator.leader.preparationCounts.dropped).toBe(1);
    expect([world.intent(other), world.launchedFor(instanceId)]).toEqual([null, []]);
  });
});
