import type { SeededInstance } from '@understudy/cloud-sim';
import { type CloudFilters, OperationError, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { type Altered, alteredCloud } from './altered-cloud.ts';
import { checkFinished, checkSafety } from './checks.ts';
import { type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

const MINUTE_MS = 60_000;

const fails = (action: string): OperationError =>
  new OperationError('CLOUD_UNAVAILABLE', `${action}: InternalError: <html>`, {
    ...{ upstreamCode: 'InternalError', action, httpStatus: 500 },
  });

async function led(
  altered: (scene: RecoveryFixture) => Altered,
  options: RecoveryFixtureOptions = {},
  zones: readonly string[] = [],
): Promise<{ scene: RecoveryFixture; old: SeededInstance; leader: Leader }> {
  const scene = new RecoveryFixture(options);
  scene.policy.recover.placements.push(
    ...zones.map((az) => ({ subnetId: scene.sim.defaultResources.subnets[az] ?? '' })),
  );
  const old = scene.seedMember();
  await scene.begin(old);
  return { scene, old, leader: scene.lead({ cloud: (cloud) => alteredCloud(cloud, altered(scene)) }) };
}

const isToken = (filters: CloudFilters): boolean => 'client-token' in filters;
const isLaunchLook = (filters: CloudFilters): boolean =>
  isToken(filters) || Object.keys(filters).some((name) => name.startsWith('tag:'));

/** One filter answers 500 for ever; the launch's reply is lost. */
const tokenFilterBroken = (): Altered => ({
  describeInstances: async (real, filters, options) => {
    if (isToken(filters)) throw fails('DescribeInstances');
    return real.describeInstances(filters, options);
  },
});

describe('one of three looks at a launch fails', () => {
  test('what the others show is enough: adopted, one launch', async () => {
    const { scene, old, leader } = await led(tokenFilterBroken);
    scene.sim.addFault({ id: 'lost', action: 'RunInstances', kind: 'timeout-after-success' });
    const fromMs = scene.clock.monotonicMs();
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old);
    expect(scene.sim.fired('lost')).toBe(1);
    expect(scene.sim.log.calls('RunInstances')).toHaveLength(1);
    expect(scene.clock.monotonicMs() - fromMs).toBeLessThan(5 * MINUTE_MS);
    expect(scene.log.linesOf('recovery.launch_found_in_part')).toHaveLength(1);
  });

  test('nothing is shown: no absence is concluded; told once, shown, held after three minutes, and resumed by itself', async () => {
    const state = { broken: true };
    const { scene, old, leader } = await led(() => ({
      describeInstances: async (real, filters, options) => {
        if (state.broken && isToken(filters)) throw fails('DescribeInstances');
        return real.describeInstances(filters, options);
      },
    }));
    scene.sim.addFault({ id: 'never', action: 'RunInstances', kind: 'timeout-before' });
    const running = scene.leadRun(leader);
    await scene.clock.advance(10 * MINUTE_MS);
    expect(scene.sim.log.calls('RunInstances')).toHaveLength(1);
    const hold = scene.hold();
    expect(hold).toMatchObject({ reason: 'CloudUnavailable', opId: opIdOf(old.instanceId) });
    expect(hold?.text).toContain('launch-1 fails since');
    expect(hold?.text).toContain('DescribeInstances: InternalError (HTTP 500)');
    const step = leader.engine.activity(opIdOf(old.instanceId))?.steps.find((one) => one.step === 'launch-1');
    expect(step?.failing).toMatchObject({ action: 'DescribeInstances', code: 'InternalError', httpStatus: 500 });
    expect(step?.failing?.count).toBeGreaterThan(20);
    expect(step?.text).not.toContain('does not answer');
    const told = scene.log
      .linesOf('recovery.step.failing')
      .filter((line) => line.fields['action'] === 'DescribeInstances');
    expect(told).toHaveLength(1);
    state.broken = false;
    await scene.clock.advance(30_000);
    expect(scene.hold()).toBeNull();
    await scene.clock.runUntilSettled(running);
    checkFinished(scene, old);
    expect(scene.sim.log.calls('RunInstances')).toHaveLength(2);
    expect(scene.log.linesOf('recovery.step.works_again').map((line) => line.fields['step'])).toContain('launch-1');
  });

  test('looks that failed are not looks in vain: no attempt ends before one has worked', async () => {
    const state = { broken: true };
    const { scene, old, leader } = await led(
      () => ({
        describeInstances: async (real, filters, options) => {
          if (state.broken && isLaunchLook(filters)) throw fails('DescribeInstances');
          return real.describeInstances(filters, options);
        },
        describeNetworkInterfaces: async (real, filters, options) => {
          if (state.broken) throw fails('DescribeNetworkInterfaces');
          return real.describeNetworkInterfaces(filters, options);
        },
      }),
      {},
      ['us-east-1a', 'us-east-1b'],
    );
    scene.sim.addFault({ id: 'lost', action: 'RunInstances', kind: 'timeout-after-success' });
    const running = scene.leadRun(leader);
    await scene.clock.advance(20 * MINUTE_MS);
    expect(scene.log.linesOf('recovery.step.failed')).toHaveLength(0);
    expect(scene.sim.log.calls('DeleteNetworkInterface')).toHaveLength(0);
    state.broken = false;
    await scene.clock.runUntilSettled(running);
    checkFinished(scene, old);
    expect(scene.history()[0]?.launchAttempts).toBe(1);
  });
});

describe('verification', () => {
  test('a status that cannot be read does not hide that the replacement has ended', async () => {
    const { scene, old, leader } = await led(() => ({
      describeInstanceStatus: async () => {
        throw fails('DescribeInstanceStatus');
      },
    }));
    scene.silent.add('*');
    const running = scene.run(leader, scene.intent());
    const watch = scene.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'RunInstances' || event.outcome !== 'ok') return;
      watch();
      scene.clock.setTimer(60_000, () => {
        scene.silent.clear();
        for (const id of scene.launchedFor(old.instanceId)) scene.sim.takeDown(id, 'Server.InternalError', 'terminate');
      });
    });
    scene.clock.setTimer(20 * MINUTE_MS, () => leader.endTerm());
    await running;
    expect(scene.log.linesOf('recovery.step.failed')[0]?.fields).toMatchObject({
      step: 'verify-1',
      code: 'VerifyFailed',
    });
    checkSafety(scene, old);
  });

  test('without any status the replacement is not activated; with the first one it is', async () => {
    const state = { broken: true };
    const { scene, old, leader } = await led(() => ({
      describeInstanceStatus: async (real, ...args) => {
        if (state.broken) throw fails('DescribeInstanceStatus');
        return real.describeInstanceStatus(...args);
      },
    }));
    const running = scene.leadRun(leader);
    await scene.clock.advance(8 * MINUTE_MS);
    expect(scene.launchedFor(old.instanceId)).toHaveLength(1);
    expect(scene.activation()?.instanceId).toBe(old.instanceId);
    expect(scene.hold()?.text).toContain('DescribeInstanceStatus: InternalError (HTTP 500)');
    state.broken = false;
    await scene.clock.runUntilSettled(running);
    checkFinished(scene, old);
  });

  test('EC2 cannot be asked until the time is over: the replacement is not condemned', async () => {
    const state = { broken: false };
    const { scene, old, leader } = await led(
      (world) => ({
        runInstances: async (real, ...args) => {
          const made = await real.runInstances(...args);
          world.clock.setTimer(100, () => (state.broken = true));
          return made;
        },
        describeInstances: async (real, ...args) => {
          if (state.broken) throw fails('DescribeInstances');
          return real.describeInstances(...args);
        },
      }),
      { policy: { recover: { verifyTimeoutMs: 120_000 } } },
    );
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CloudUnavailable' });
    expect(scene.hold()?.text).toMatch(/was not verified in time, but EC2 could not be asked about it for \d+ s/);
    expect(scene.sim.log.calls('TerminateInstances')).toHaveLength(0);
    state.broken = false;
    await scene.clock.runUntilSettled(scene.leadRun(leader));
    checkFinished(scene, old);
  });
});

describe('a fence that cannot be proven', () => {
  test('stopped, and a volume busy: the hold names the volume, its state and what to do', async () => {
    const state = { busy: true };
    const { scene, old, leader } = await led(() => ({
      describeVolumes: async (real, ...args) => {
        const volumes = await real.describeVolumes(...args);
        if (!state.busy) return volumes;
        return volumes.map((volume) => ({
          ...volume,
          attachments: volume.attachments.map((one) =>
            one.deviceName === '/dev/sdf' ? { ...one, state: 'busy' } : one,
          ),
        }));
      },
    }));
    expect(await scene.run(leader, scene.intent())).toBe('held');
    const volumeId = old.volumeIds['/dev/sdf'] ?? 'none';
    expect(scene.hold()).toMatchObject({ reason: 'FenceNotProven', member: MEMBER });
    expect(scene.hold()?.text).toContain(`${old.instanceId} is stopped, but ${volumeId} (/dev/sdf) is still busy`);
    expect(scene.hold()?.text).not.toContain('not seen stopped');
    expect(scene.hold()?.text).toContain('detach-volume --force');
    expect(scene.sim.log.calls('CreateSnapshots')).toHaveLength(0);
    state.busy = false;
    await scene.clock.runUntilSettled(scene.leadRun(leader));
    checkFinished(scene, old);
  });
});

describe('an address whose instance EC2 does not name', () => {
  const nameless = (): Altered => ({
    describeAddresses: async (real, ...args) =>
      (await real.describeAddresses(...args)).map((one) => ({ ...one, instanceId: null })),
  });
  test('is known by the interface and the association of the plan, and moves', async () => {
    const { scene, old, leader } = await led(nameless);
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old);
  });
  test('is left with another machine all the same', async () => {
    const { scene, old, leader } = await led(nameless);
    const other = scene.seedMember('db/other', { elasticIp: false });
    const to = { InstanceId: other.instanceId, AllowReassociation: true };
    scene.sim.seed('AssociateAddress', { AllocationId: old.allocationId, ...to });
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()?.reason).toBe('AddressHeldElsewhere');
    const address = scene.sim.core.region.addresses.get(old.allocationId ?? '');
    expect(scene.holderOf(address?.networkInterfaceId ?? '')).toBe(other.instanceId);
  });
});
