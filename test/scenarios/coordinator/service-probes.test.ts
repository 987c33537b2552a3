import { type PolicyChange, joinedChanges } from '@understudy/shared/testing';
import { ExplainViewSchema, MemberViewSchema, ServiceProbeSchema } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { PASSES, REFUSES, TIMES_OUT } from '../../sim/cluster/service-look.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;
/** Long after every limit of these tests. */
const LONG_MS = 300_000;
const PROBE = ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432, name: 'postgres' });

/** Three coordinators, three members whose group has one probe. */
async function started(policy: PolicyChange = {}) {
  const world = new ScenarioCluster({ policy: joinedChanges({ detect: { serviceProbes: [PROBE] } }, policy) });
  const old = world.seed(DB1);
  for (const [name, az] of [
    ['db2', 'us-east-1b'],
    ['db3', 'us-east-1c'],
  ] as const)
    world.seed(`prod/${name}`, { az });
  await world.up();
  await world.until('every observer sees it pass', () => serviceStates(world).length === 3, 60_000);
  expect(new Set(serviceStates(world))).toEqual(new Set(['passing']));
  return { world, instanceId: old.instanceId };
}

const memberOf = (world: ScenarioCluster) => {
  const view = world
    .mustLead()
    .coordinator.api.members()
    .find((one) => one.member === DB1);
  return MemberViewSchema.parse(JSON.parse(JSON.stringify(view)));
};
const serviceStates = (world: ScenarioCluster) =>
  memberOf(world).opinions.flatMap(({ service }) => service?.state ?? []);
const explained = (world: ScenarioCluster) => {
  const view = world.mustLead().coordinator.api.explain(DB1);
  return ExplainViewSchema.parse(JSON.parse(JSON.stringify(view)));
};
const nothingBegun = (world: ScenarioCluster) =>
  expect([world.intent(DB1), world.hold(DB1), world.launches]).toEqual([null, null, 0]);

describe('heartbeats are fine, the service is dead for its clients', () => {
  test('it is degraded within half a minute, says why, and is not replaced at defaults', async () => {
    const { world, instanceId } = await started();
    world.services.set(instanceId, REFUSES);
    const tookMs = await world.until('degraded', () => memberOf(world).degraded, 60_000);
    expect(tookMs).toBeLessThanOrEqual(25_000);
    expect(explained(world)).toMatchObject({
      verdict: 'alive',
      reasonCode: 'ServiceUnreachable',
      degraded: true,
      decision: { kind: 'none' },
    });
    expect(explained(world).reason).toContain('postgres: Refused at c1, c2, c3');
    expect(explained(world).evidence.filter((one) => one.source.startsWith('service from'))).toHaveLength(3);
    expect(explained(world).wouldFlip).toContain(
      'detect.serviceFailsAfterMs is 0: unreachable services alone never fail it',
    );
    await world.clock.advance(LONG_MS);
    expect(memberOf(world).degraded).toBe(true);
    nothingBegun(world);
    world.services.delete(instanceId);
    await world.until('healthy again', () => !memberOf(world).degraded, 60_000);
    world.expectHealthy();
  });

  test('with serviceFailsAfterMs it is replaced after that time, exactly once', async () => {
    const { world, instanceId } = await started({ detect: { serviceFailsAfterMs: 60_000 } });
    world.services.set(instanceId, TIMES_OUT);
    await world.until('degraded', () => memberOf(world).degraded, 60_000);
    const tookMs = await world.until('intent', () => world.intent(DB1) !== null, 120_000);
    expect(tookMs).toBeGreaterThanOrEqual(59_000);
    expect(tookMs).toBeLessThanOrEqual(62_000);
    expect(world.intent(DB1)?.reason).toContain('the limit is 1 min 0 s');
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    await world.clock.advance(120_000);
    world.expectReplaced(DB1, instanceId);
    expect(world.launches).toBe(1);
    expect(world.history(DB1)[0]?.reason).not.toContain('did not pass');
    expect(memberOf(world)).toMatchObject({ degraded: false, verdict: 'alive' });
    world.expectHealthy();
  });

  test('a service that comes back in time begins the time anew', async () => {
    const { world, instanceId } = await started({ detect: { serviceFailsAfterMs: 60_000 } });
    for (let spell = 0; spell < 3; spell++) {
      world.services.set(instanceId, REFUSES);
      await world.until('degraded', () => memberOf(world).degraded, 60_000);
      await world.clock.advance(45_000);
      world.services.delete(instanceId);
      await world.until('healthy', () => !memberOf(world).degraded, 60_000);
    }
    nothingBegun(world);
  });

  test('stopped on purpose while the member is paused: degraded and held, replaced only after the pause', async () => {
    const { world, instanceId } = await started({ detect: { serviceFailsAfterMs: 60_000 } });
    world.pause(`member/${DB1}`);
    world.services.set(instanceId, REFUSES);
    await world.until('held', () => world.hold(DB1)?.reason === 'Paused', 120_000);
    await world.clock.advance(LONG_MS);
    expect([world.intent(DB1), world.launches, memberOf(world).degraded]).toEqual([null, 0, true]);
    world.remove(KEYS.pause(`member/${DB1}`));
    await world.until('intent', () => world.intent(DB1) !== null, 10_000);
  });

  test('a new leader waits the whole time again', async () => {
    const { world, instanceId } = await started({ detect: { serviceFailsAfterMs: 60_000 } });
    world.services.set(instanceId, REFUSES);
    await world.until('degraded', () => memberOf(world).degraded, 60_000);
    await world.clock.advance(50_000);
    await world.stop(world.mustLead());
    await world.until('another leads', () => world.leader() !== null, 30_000);
    await world.clock.advance(50_000);
    nothingBegun(world);
    await world.until('intent', () => world.intent(DB1) !== null, 30_000);
  });

  test('one that nobody has ever seen passing is degraded, and never replaced: the probe may be wrong', async () => {
    const world = new ScenarioCluster({ policy: { detect: { serviceProbes: [PROBE], serviceFailsAfterMs: 60_000 } } });
    const { instanceId } = world.seed(DB1);
    world.seed('prod/db2', { az: 'us-east-1b' });
    world.services.set(instanceId, REFUSES);
    await world.up();
    await world.until('degraded', () => memberOf(world).degraded, 60_000);
    await world.clock.advance(LONG_MS);
    expect(explained(world).wouldFlip.join()).toContain('too few observers have seen it pass');
    nothingBegun(world);
  });

  test('a certificate at fault is shown, and never replaced: the next machine has the same one', async () => {
    const { world, instanceId } = await started({ detect: { serviceFailsAfterMs: 60_000 } });
    world.services.set(instanceId, { ...PASSES, code: 'CertificateExpired' });
    await world.until('degraded', () => memberOf(world).degraded, 60_000);
    await world.clock.advance(LONG_MS);
    nothingBegun(world);
  });

  test('three services that become unreachable together are a mass: held, not replaced', async () => {
    const { world } = await started({ detect: { serviceFailsAfterMs: 60_000 } });
    for (const { instanceId } of world.agents.values()) world.services.set(instanceId, TIMES_OUT);
    await world.until('held', () => world.hold(DB1)?.reason === 'MassFailure', 180_000);
    await world.clock.advance(LONG_MS);
    expect([world.launches, world.hold(DB1)?.reason]).toEqual([0, 'MassFailure']);
  });

  test('within the boot grace nothing is concluded', async () => {
    const world = new ScenarioCluster({
      policy: { detect: { serviceProbes: [PROBE] }, guard: { bootGraceMs: 600_000 } },
    });
    const { instanceId } = world.seed(DB1);
    world.services.set(instanceId, REFUSES);
    await world.up();
    await world.until('all find it failing', () => serviceStates(world).length === 3, 60_000);
    await world.clock.advance(120_000);
    expect(memberOf(world)).toMatchObject({ degraded: false, verdict: 'alive' });
    await world.until('degraded once it is old enough', () => memberOf(world).degraded, 600_000);
  });
});

describe('a path is no member', () => {
  test('one observer cannot reach the service: shown, not degraded, nothing begun', async () => {
    const { world, instanceId } = await started({ detect: { serviceFailsAfterMs: 60_000 } });
    world.services.set(`c2>${instanceId}`, TIMES_OUT);
    await world.until('c2 finds it failing', () => serviceStates(world).includes('failing'), 60_000);
    await world.clock.advance(LONG_MS);
    expect(memberOf(world).degraded).toBe(false);
    expect(explained(world).evidence.find((one) => one.source === 'service from c2')?.text).toContain(
      'it passes for others: the path may be at fault',
    );
    nothingBegun(world);
  });

  test('a service that flaps within rise and fall writes nothing', async () => {
    const { world, instanceId } = await started();
    await world.clock.advance(60_000);
    const before = world.kv.entries(KEYS.opinions).map((entry) => entry.modRevision);
    const looksBefore = world.looksAt.get(instanceId) ?? 0;
    for (let second = 0; second < 600; second += 2) {
      world.services.set(instanceId, second % 12 < 6 ? REFUSES : PASSES);
      await world.clock.advance(2_000);
    }
    expect((world.looksAt.get(instanceId) ?? 0) - looksBefore).toBeGreaterThan(300);
    expect(world.kv.entries(KEYS.opinions).map((entry) => entry.modRevision)).toEqual(before);
  });
});

describe('heartbeats are silent, the service answers', () => {
  test.each([
    ['passes', PASSES],
    ['is refused, so the host lives', REFUSES],
  ])('it %s: stays suspect, held visibly; dead once nothing answers', async (_, report) => {
    const { world, instanceId } = await started();
    world.services.set(instanceId, report);
    await world.silence(instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'ProbeAnswered', 30_000);
    await world.clock.advance(300_000);
    expect(memberOf(world)).toMatchObject({ verdict: 'suspect', hold: { reason: 'ProbeAnswered' } });
    expect(explained(world)).toMatchObject({ reasonCode: 'ProbeAnswered' });
    expect(explained(world).wouldFlip.join()).toContain('answeredProbesHoldForMs');
    expect(world.intent(DB1)).toBeNull();
    world.services.set(instanceId, TIMES_OUT);
    await world.until('intent', () => world.intent(DB1) !== null, 10_000);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    world.expectReplaced(DB1, instanceId);
  });

  test('not for ever: after answeredProbesHoldForMs it is replaced, once', async () => {
    const { world, instanceId } = await started({ detect: { answeredProbesHoldForMs: 120_000 } });
    world.services.set(instanceId, REFUSES);
    await world.silence(instanceId);
    const tookMs = await world.until('intent', () => world.intent(DB1) !== null, 300_000);
    expect(tookMs).toBeGreaterThanOrEqual(120_000);
    expect(tookMs).toBeLessThanOrEqual(135_000);
    world.services.delete(instanceId);
    await world.until('replaced', () => world.history(DB1).length > 0, HOUR_MS);
    expect(world.launches).toBe(1);
  });

  test('what answers at the address of an instance that EC2 says is off is another machine', async () => {
    const { world, instanceId } = await started();
    world.services.set(instanceId, PASSES);
    world.sim.takeDown(instanceId, 'Server.InternalError', 'stop');
    await world.until('its agent is gone', () => !world.agents.has(instanceId), 120_000);
    await world.until('intent', () => world.intent(DB1) !== null, 30_000);
    expect(world.intent(DB1)?.reason).toContain('Server.InternalError');
  });

  test('the agent speaks again: alive, the hold goes, nothing was begun', async () => {
    const { world, instanceId } = await started();
    world.services.set(instanceId, PASSES);
    await world.silence(instanceId);
    await world.until('held', () => world.hold(DB1)?.reason === 'ProbeAnswered', 30_000);
    world.speak(instanceId);
    await world.until('alive', () => memberOf(world).verdict === 'alive' && world.hold(DB1) === null, 30_000);
    nothingBegun(world);
  });

  test('a dead machine with probes is found as soon as one without', async () => {
    const { world, instanceId } = await started();
    world.crash(instanceId);
    const tookMs = await world.until('intent', () => world.intent(DB1) !== null, 30_000);
    expect(tookMs).toBeLessThanOrEqual(11_000);
  });
});

describe('the end of a recovery', () => {
  const crashed = async () => {
    const { world, instanceId } = await started();
    world.crash(instanceId);
    await world.until('launched', () => world.launchedFor(instanceId).length > 0, HOUR_MS);
    return { world, instanceId, heir: world.launchedFor(instanceId)[0] ?? '' };
  };

  test('waits until the services of the replacement pass', async () => {
    const { world, heir } = await crashed();
    world.services.set(heir, REFUSES);
    await world.until('activated', () => world.activation(DB1)?.instanceId === heir, HOUR_MS);
    await world.clock.advance(30_000);
    expect(world.history(DB1)).toEqual([]);
    world.services.delete(heir);
    await world.until('closed', () => world.history(DB1).length > 0, 10_000);
    expect(world.history(DB1)[0]?.reason).not.toContain('did not pass');
  });

  test('but not for ever: it is closed, and says what does not pass', async () => {
    const { world, heir } = await crashed();
    world.services.set(heir, REFUSES);
    await world.until('activated', () => world.activation(DB1)?.instanceId === heir, HOUR_MS);
    const tookMs = await world.until('closed', () => world.history(DB1).length > 0, 120_000);
    expect(tookMs).toBeGreaterThanOrEqual(55_000);
    expect(world.history(DB1)[0]?.reason).toContain(
      'its services did not pass when this was closed (postgres: Refused)',
    );
  });
});
