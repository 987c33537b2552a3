import { type MemberId, type WhatIfScenario, type WhatIfView, WhatIfViewSchema } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const LOST = 'us-east-1c';
const SUBNET_B = 'subnet-0000000000000d00b';
const DETECT_SLACK_MS = 5_000;

async function started(policy: PolicyChange) {
  const world = new ScenarioCluster({ policy });
  const inLost = new Map<MemberId, string>();
  for (const at of [1, 2, 3]) inLost.set(`lost${at}/db`, world.seed(`lost${at}/db`, { az: LOST }).instanceId);
  for (const at of [1, 2, 3, 4]) world.seed(`a${at}/db`, { az: 'us-east-1a' });
  for (const at of [1, 2, 3]) world.seed(`b${at}/db`, { az: 'us-east-1b' });
  await world.up();
  const board = () => world.mustLead().coordinator.leader.board();
  await world.until('all looked at', () => board()?.plans().notLookedAt.length === 0, 600_000);
  return { world, inLost };
}

async function asked(world: ScenarioCluster, scenario: WhatIfScenario): Promise<WhatIfView> {
  const { controls } = world.mustLead().coordinator;
  const answer = await world.clock.runUntilSettled(controls.whatIf(scenario));
  if (answer?.kind !== 'view') throw new Error(answer?.kind ?? 'nobody leads');
  return WhatIfViewSchema.parse(JSON.parse(JSON.stringify(answer.view)));
}

const changes = (world: ScenarioCluster) =>
  world.sim.log.calls().filter(({ action, executed }) => executed && !/^(?:Describe|Get)/.test(action)).length;

test('a lost zone that recovers goes as it was told: who, in which zone, and when', async () => {
  const { world, inLost } = await started({
    guard: { whenZoneLost: 'recover' },
    recover: { placements: [{ subnetId: SUBNET_B }], settleMs: 5_000 },
  });
  const [revision, made] = [world.kv.revision, changes(world)];
  const view = await asked(world, { kind: 'zone-lost', name: LOST });
  expect([world.kv.revision, changes(world)]).toEqual([revision, made]);
  expect(view.members.map(({ outcome, places }) => [outcome, ...places])).toEqual(
    [1, 2, 3].map(() => ['recovered', 'us-east-1b']),
  );
  const failedAtMs = world.clock.wallMs();
  for (const instanceId of inLost.values()) world.crash(instanceId);
  await world.until('all replaced', () => [...inLost.keys()].every((one) => world.history(one).length > 0), 3_600_000);
  const begun = [...inLost.keys()].map((one) => (world.history(one)[0]?.startedAtWallMs ?? 0) - failedAtMs);
  const told = view.members.map(({ startsAfterMs }) => startsAfterMs ?? 0);
  for (const [at, startMs] of begun.toSorted((a, b) => a - b).entries())
    expect(Math.abs(startMs - (told[at] ?? 0))).toBeLessThan(DETECT_SLACK_MS);
});

test('a lost zone that is held is held for the reason that was told', async () => {
  const { world, inLost } = await started({});
  const view = await asked(world, { kind: 'zone-lost', name: LOST });
  expect(view.members.map(({ outcome }) => outcome)).toEqual(['held', 'held', 'held']);
  for (const instanceId of inLost.values()) world.crash(instanceId);
  await world.until('held', () => [...inLost.keys()].every((one) => world.hold(one) !== null), 120_000);
  for (const { member, reason } of view.members) expect(world.hold(member as MemberId)?.reason).toBe(reason);
  expect(world.launches).toBe(0);
});

test('without the leader another one leads, as told, and everybody is still judged', async () => {
  const { world } = await started({});
  const leader = world.mustLead();
  const { coordinatorId = '' } = leader.coordinator.api.status().leader ?? {};
  const view = await asked(world, { kind: 'coordinator', name: coordinatorId });
  expect([view.members, view.unwatched, view.leader.isLost]).toEqual([[], [], true]);
  const killedAtMs = world.clock.wallMs();
  world.kill(leader);
  await world.until('another leads', () => world.leader() !== null && world.leader() !== leader, 60_000);
  expect(view.leader.next).toContain(world.mustLead().coordinator.api.status().leader?.coordinatorId);
  expect(world.clock.wallMs() - killedAtMs).toBeLessThanOrEqual(view.leader.afterMs ?? 0);
});
