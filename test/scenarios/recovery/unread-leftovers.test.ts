import { OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { alteredCloud } from './altered-cloud.ts';
import { checkCollected, checkFinished } from './checks.ts';
import { RecoveryFixture } from './recovery-fixture.ts';

const DAY_MS = 86_400_000;

describe('what the collector could not read', () => {
  /**
   * A finished recovery whose leftovers are all due, under a leader that cannot read instances
   * until told that it can.
   */
  async function due() {
    const scene = new RecoveryFixture();
    const old = scene.seedMember();
    await scene.begin(old);
    const reads = { broken: false, refused: 0 };
    const leader = scene.lead({
      cloud: (cloud) =>
        alteredCloud(cloud, {
          describeInstances: async (real, ...args) => {
            if (!reads.broken) return real.describeInstances(...args);
            reads.refused += 1;
            throw new OperationError('CLOUD_UNAVAILABLE', 'DescribeInstances: 500');
          },
        }),
    });
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    const newInstanceId = checkFinished(scene, old);
    await scene.clock.advance(30 * DAY_MS);
    // One process's: it remembers for how long something has not been shown.
    const collector = scene.collector(leader);
    const collect = () => scene.clock.runUntilSettled(collector.collect(leader.term));
    return { scene, old, leader, newInstanceId, reads, collect };
  }

  test('is not gone: the retired instance stays on the list, and is terminated once it can be read', async () => {
    const { scene, old, leader, newInstanceId, reads, collect } = await due();
    reads.broken = true;
    for (let pass = 0; pass < 3; pass += 1) {
      const report = await collect();
      expect(report.removed.filter((one) => one.kind === 'instance')).toEqual([]);
      await scene.clock.advance(600_000);
    }
    expect(reads.refused).toBeGreaterThanOrEqual(3);
    expect(scene.history()[0]?.leftovers).toContainEqual(
      expect.objectContaining({ kind: 'instance', id: old.instanceId }),
    );
    expect(scene.stateOf(old.instanceId)).toBe('stopped');
    reads.broken = false;
    expect(await checkCollected(scene, old, leader, newInstanceId)).toEqual([]);
    expect(scene.sim.log.calls('TerminateInstances').length).toBeGreaterThan(0);
  });

  test('a sweep that failed removes nothing it did not see, and the next one does', async () => {
    const { scene, old, leader, newInstanceId, reads, collect } = await due();
    reads.broken = true;
    const report = await collect();
    expect(report.violations).toEqual([]);
    expect(scene.stateOf(newInstanceId)).toBe('running');
    reads.broken = false;
    expect(await checkCollected(scene, old, leader, newInstanceId)).toEqual([]);
  });
});
