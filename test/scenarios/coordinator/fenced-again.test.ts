import type { SeededInstance } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;
const CUT_OFF = 'cut off';

interface Stage {
  readonly world: ScenarioCluster;
  readonly old: SeededInstance;
  readonly serves: () => boolean | undefined;
}

/** Nobody hears the member, whose machine and workload are well. */
const cutOff = ({ world }: Stage): void => {
  world.network.impose(CUT_OFF, { from: { name: DB1 }, to: {}, cut: true });
};

/** Agents of production, and an EC2 that lets us stop nothing. */
async function staged(): Promise<Stage> {
  const world = new ScenarioCluster({ agents: 'production', policy: { guard: { cooldownMs: 0 } } });
  const old = world.seed(DB1);
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  world.sim.core.region.deniedActions.add('StopInstances');
  const serves = () => world.machines.of(old.instanceId)?.serves;
  expect(serves()).toBe(true);
  return { world, old, serves };
}

/** It is believed dead, is heard again while its recovery is open, and is told so. */
async function fenced(stage: Stage): Promise<void> {
  const { world, serves } = stage;
  cutOff(stage);
  await world.until('intent', () => world.intent(DB1) !== null, HOUR_MS);
  expect(serves()).toBe(true);
  world.network.lift(CUT_OFF);
  await world.until('withdrawn', () => serves() === false, 60_000);
}

async function abandoned({ world }: Stage, times: number): Promise<void> {
  const asked = { member: DB1, kind: 'abandon', by: 'ann', why: 'it was the network' } as const;
  const more = { opId: null, loss: null, leaveOpen: false };
  const answer = world.mustLead().coordinator.api.operate({ ...asked, ...more });
  expect(await world.clock.runUntilSettled(answer)).toMatchObject({ kind: 'accepted' });
  await world.until('closed', () => world.history(DB1).length === times, HOUR_MS);
}

describe('an instance that was told fenced and is not replaced', () => {
  test('serves again once its recovery is abandoned, under the same leader, without a restart', async () => {
    const stage = await staged();
    const { world, old, serves } = stage;
    const term = world.mustLead().coordinator.leadership.current()?.number;
    await fenced(stage);
    await world.clock.advance(60_000);
    expect(serves()).toBe(false);
    await abandoned(stage, 1);
    expect(await world.until('serves', () => serves() === true, 60_000)).toBeLessThan(5_000);
    expect(world.mustLead().coordinator.leadership.current()?.number).toBe(term);
    expect(world.activation(DB1)).toMatchObject({ instanceId: old.instanceId, incarnation: 1, ordinal: 1 });
    world.expectHealthy();
  });

  test('is fenced by the next recovery as by the first', async () => {
    const stage = await staged();
    const { world, serves } = stage;
    await fenced(stage);
    await abandoned(stage, 1);
    await world.until('serves', () => serves() === true, 60_000);
    await fenced(stage);
    await world.clock.advance(60_000);
    expect(serves()).toBe(false);
    await abandoned(stage, 2);
    await world.until('serves', () => serves() === true, 60_000);
  });

  test('stays fenced whatever a coordinator says that has not seen the intent', async () => {
    const stage = await staged();
    const { world, serves } = stage;
    cutOff(stage);
    await world.until('dead', () => world.mustLead().coordinator.leader.judged(DB1)?.verdict === 'dead', 60_000);
    expect(world.intent(DB1)).toBeNull();
    const blind = world.nodes.find((node) => node !== world.mustLead());
    blind?.kv.cut();
    await world.until('intent', () => world.intent(DB1) !== null, 10_000);
    world.network.lift(CUT_OFF);
    await world.until('withdrawn', () => serves() === false, 10_000);
    expect(blind?.coordinator.view.records.intents.has(DB1)).toBe(false);
    expect(blind?.coordinator.view.contactAgeMs()).toBeLessThan(15_000);
    for (let second = 0; second < 60; second += 1) {
      await world.clock.advance(1_000);
      expect(serves()).toBe(false);
    }
  });
});
