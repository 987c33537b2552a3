import type { SeededInstance } from '@understudy/cloud-sim';
import { type Cloud, type InstanceState, type LaunchRequest, OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { type Altered, alteredCloud } from './altered-cloud.ts';
import { checkFinished } from './checks.ts';
import { type Leader, RecoveryFixture } from './recovery-fixture.ts';

/**
 * S7 and S14, layer by layer: what has to be seen before attempt 2 may begin, each where no other
 * layer would hold it back.
 */

/** `zones`: of further placements; with only one, a refusal ends no attempt. */
async function led(
  altered: (scene: RecoveryFixture) => Altered,
  zones: readonly string[] = [],
): Promise<{ scene: RecoveryFixture; old: SeededInstance; leader: Leader }> {
  const scene = new RecoveryFixture({
    policy: { recover: { verifyTimeoutMs: 30_000, maxLaunchAttempts: 3 } },
    // What is shown, and when, is the test's: no lag of a seed's beside it.
    latency: { 'consistency.created': [0, 0], 'consistency.changed': [0, 0] },
  });
  scene.policy.recover.placements.push(
    ...zones.map((az) => ({ subnetId: scene.sim.defaultResources.subnets[az] ?? '' })),
  );
  const old = scene.seedMember();
  await scene.begin(old);
  const leader = scene.lead({ cloud: (cloud) => alteredCloud(cloud, altered(scene)) });
  return { scene, old, leader };
}

describe('a replacement that failed', () => {
  const LIES_MS = 180_000;

  /**
   * Its permit is out of the way, as far as EC2 shows; of the instance itself EC2 says what the
   * test wants for three minutes.
   */
  async function endedWhile(shown: InstanceState | null) {
    const said = { terminateAtMs: Number.POSITIVE_INFINITY, permits: 0, launches: 0 };
    const { scene, old, leader } = await led((world) => {
      const lies = () => world.clock.monotonicMs() - said.terminateAtMs;
      const lying = () => lies() >= 0 && lies() < LIES_MS;
      return {
        terminateInstance: async (real, ...args) => {
          said.terminateAtMs = Math.min(said.terminateAtMs, world.clock.monotonicMs());
          await real.terminateInstance(...args);
        },
        describeInstances: async (real, ...args) => {
          const found = await real.describeInstances(...args);
          if (!lying()) return found;
          return shown === null ? [] : found.map((one) => ({ ...one, state: shown }));
        },
        describeNetworkInterfaces: async (real, ...args) => (lying() ? [] : real.describeNetworkInterfaces(...args)),
        deleteNetworkInterface: async (real, ...args) => {
          if (!lying()) await real.deleteNetworkInterface(...args);
        },
      };
    });
    scene.silent.add('*');
    const count = () => {
      if (scene.clock.monotonicMs() - said.terminateAtMs >= LIES_MS - 1_000) {
        said.permits = scene.sim.log.calls('CreateNetworkInterface').length;
        said.launches = scene.launchedFor(old.instanceId).length;
        scene.silent.clear();
      } else scene.clock.setTimer(500, count);
    };
    count();
    expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
    checkFinished(scene, old, { launches: 2 });
    return said;
  }

  test.each([
    ['is not shown', null],
    ['is shutting down', 'shutting-down'],
    ['reads as stopped', 'stopped'],
    ['reads as running', 'running'],
  ] as const)('and %s, with its permit gone, is not taken for terminated', async (_what, shown) => {
    const { permits, launches } = await endedWhile(shown);
    expect([permits, launches]).toEqual([1, 1]);
  });
});

describe('a launch that was refused and happened all the same', () => {
  interface Shown {
    /** What a replica that lags shows, so many ms after the deletion of the permit was answered. */
    readonly permit: (sinceDeletedMs: number) => boolean;
    readonly instance: (sinceDeletedMs: number) => boolean;
  }

  /**
   * EC2 said "no capacity", the permit's deletion was answered with success and did nothing, and
   * the launch landed with it.
   */
  async function landsAfter(shown: Shown) {
    const at = { deletedMs: Number.POSITIVE_INFINITY };
    let pending: { readonly real: Cloud; readonly request: LaunchRequest } | null = null;
    const stage = await led(
      (world) => {
        const sinceMs = () => world.clock.monotonicMs() - at.deletedMs;
        const sees = (what: keyof Shown) => sinceMs() < 0 || shown[what](sinceMs());
        return {
          runInstances: async (real, request, options) => {
            if (pending !== null) return real.runInstances(request, options);
            pending = { real, request };
            throw new OperationError('CLOUD_CAPACITY', 'no room', { upstreamCode: 'InsufficientInstanceCapacity' });
          },
          deleteNetworkInterface: async (real, ...args) => {
            if (at.deletedMs < Number.POSITIVE_INFINITY || pending === null)
              return real.deleteNetworkInterface(...args);
            await pending.real.runInstances(pending.request, {});
            at.deletedMs = world.clock.monotonicMs();
          },
          describeNetworkInterfaces: async (real, ...args) =>
            sees('permit') ? real.describeNetworkInterfaces(...args) : [],
          describeInstances: async (real, filters, options) => {
            const found = await real.describeInstances(filters, options);
            const byLaunch = 'client-token' in filters || Object.keys(filters).some((name) => name.startsWith('tag:'));
            return byLaunch && !sees('instance') ? [] : found;
          },
        };
      },
      ['us-east-1a', 'us-east-1b'],
    );
    expect(await stage.scene.run(stage.leader, stage.scene.intent()), JSON.stringify(stage.scene.hold())).toBe(
      'finished',
    );
    await stage.scene.clock.advance(300_000);
    expect(at.deletedMs).toBeLessThan(Number.POSITIVE_INFINITY);
    checkFinished(stage.scene, stage.old, { launches: 1 });
    expect(stage.scene.history()[0]?.launchAttempts).toBe(1);
  }

  const always = () => true;
  const never = () => false;
  const later = (sinceMs: number) => sinceMs > 1_500;

  test('one look that shows nothing anywhere is not enough: the second one finds it in use', () =>
    landsAfter({ permit: later, instance: later }));

  test('its permit is never shown again: the last look finds it by its token', () =>
    landsAfter({ permit: never, instance: always }));

  test('either way of finding it does: the permit reads as gone once, the instance is shown', () =>
    landsAfter({ permit: later, instance: always }));
});
