import { CHECK_CODES, type MemberId } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { HEALTHY_CHECKS } from '../../sim/cluster/scripted-agent.ts';
import { ScenarioCluster, type ScenarioClusterOptions } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;
const LIMIT_MS = 20_000;
const POLICY = { detect: { degradedFailsAfterMs: LIMIT_MS } };
const NETWORK = 0;
const STORAGE = 1;

async function started(options: ScenarioClusterOptions = { policy: POLICY }) {
  const world = new ScenarioCluster(options);
  const old = world.seed(DB1);
  for (let i = 2; i <= 6; i++) world.seed(`prod/db${i}`, { az: 'us-east-1b' });
  await world.up();
  return { world, old };
}
/** From its next heartbeat on. */
function report(world: ScenarioCluster, instanceId: string, ...failing: readonly number[]): void {
  const agent = world.agents.get(instanceId);
  if (!agent) throw new Error(`no agent on ${instanceId}`);
  agent.checks = HEALTHY_CHECKS.map((check, slot) =>
    failing.includes(slot) ? { ...check, status: 'fail' as const, code: CHECK_CODES.readOnly } : check,
  );
}
const explained = (world: ScenarioCluster, member: MemberId = DB1) => {
  const view = world.mustLead().coordinator.api.explain(member);
  if (!view) throw new Error(`${member} is unknown`);
  return view;
};
const saysOf = (world: ScenarioCluster, source: string) =>
  explained(world).evidence.find((one) => one.source === source)?.text;

describe('a member that is heard and does not work', () => {
  test('is replaced once one check has failed for as long as the policy says, and is degraded until then', async () => {
    const { world, old } = await started();
    report(world, old.instanceId, STORAGE);
    await world.clock.advance(LIMIT_MS - 2_000);
    expect(explained(world)).toMatchObject({ verdict: 'alive', degraded: true, reasonCode: 'Degraded' });
    expect(saysOf(world, 'agent check storage')).toMatch(/^fail, readOnly, failing for 1[67]\.\d s$/);
    expect(world.intent(DB1)).toBeNull();
    await world.until('begun', () => world.intent(DB1) !== null, 5_000);
    expect(world.intent(DB1)?.reason).toContain('storage: readOnly for 2');
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });

  test('two checks that take turns for minutes never add up', async () => {
    const { world, old } = await started();
    for (let turn = 0; turn < 12; turn++) {
      report(world, old.instanceId, turn % 2 === 0 ? STORAGE : NETWORK);
      await world.clock.advance(LIMIT_MS - 5_000);
      expect(explained(world)).toMatchObject({ degraded: true, reasonCode: 'Degraded' });
    }
    expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
  });

  test('one check that passes again does not help another that has failed all along', async () => {
    const { world, old } = await started();
    report(world, old.instanceId, STORAGE, NETWORK);
    await world.clock.advance(LIMIT_MS - 5_000);
    report(world, old.instanceId, STORAGE);
    await world.until('begun', () => world.intent(DB1) !== null, 8_000);
  });

  test('the same check fails everywhere: it is the check, and nobody is replaced', async () => {
    const { world } = await started();
    for (const instanceId of world.agents.keys()) report(world, instanceId, NETWORK);
    await world.until('held', () => world.hold(DB1)?.reason === 'MassFailure', LIMIT_MS + 10_000);
    expect(world.hold(DB1)?.text).toContain('6 of 6 members failed');
    await world.clock.advance(120_000);
    expect(world.launches).toBe(0);
  });
});

describe('attached EBS that EC2 calls impaired', () => {
  test('makes it degraded, by default no more than that', async () => {
    const { world, old } = await started({});
    expect(world.sim.setImpairedChecks(old.instanceId, ['attached-ebs'])).toBe(true);
    await world.until('degraded', () => explained(world).degraded, 20_000);
    await world.clock.advance(130_000);
    expect(explained(world)).toMatchObject({ verdict: 'alive', reasonCode: 'Degraded', decision: { kind: 'none' } });
    expect(explained(world).reason).toMatch(/attached EBS: impaired for 2 min/);
    expect(saysOf(world, 'ec2 status checks')).toMatch(/attached EBS impaired for 2 min/);
    expect(world.sim.setImpairedChecks(old.instanceId, [])).toBe(true);
    await world.until('healthy', () => !explained(world).degraded, 20_000);
    expect(world.launches).toBe(0);
  });

  test('for longer than the policy says is a failure although the heartbeats are fine; a word in between begins it anew', async () => {
    const { world, old } = await started();
    world.sim.setImpairedChecks(old.instanceId, ['attached-ebs']);
    await world.clock.advance(LIMIT_MS - 4_000);
    world.sim.setImpairedChecks(old.instanceId, []);
    await world.clock.advance(6_000);
    world.sim.setImpairedChecks(old.instanceId, ['attached-ebs']);
    await world.clock.advance(LIMIT_MS - 4_000);
    expect([explained(world).reasonCode, world.intent(DB1)]).toEqual(['Degraded', null]);
    await world.until('begun', () => world.intent(DB1) !== null, 20_000);
    expect(world.agents.has(old.instanceId)).toBe(true);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, old.instanceId);
  });
});

test('an instance that EC2 ended for a reason that proves nothing is held for a person after a minute', async () => {
  const { world, old } = await started();
  world.sim.takeDown(old.instanceId, 'Client.InternalError', 'stop');
  await world.until('held', () => world.hold(DB1) !== null, 120_000);
  expect(world.hold(DB1)).toMatchObject({ reason: 'NotReady', text: expect.stringContaining('Client.InternalError') });
  await world.clock.advance(60_000);
  expect([world.intent(DB1), world.launches]).toEqual([null, 0]);
});
