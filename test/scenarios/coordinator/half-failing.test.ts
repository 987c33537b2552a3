import type { Ec2Transport } from '@understudy/cloud-sim';
import type { Clock } from '@understudy/shared';
import { SeededRandom } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { ScenarioCluster } from './scenario-cluster.ts';

const MEMBER = 'prod/db1';
const SEEDS = Array.from({ length: 24 }, (_, index) => index + 1);
const HOUR_MS = 3_600_000;

/** What the endpoint does: every kind of failure that may pass, half of the time. */
class HalfFailing {
  share = 0;
  calls = 0;
  failed = 0;
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed + 4_000);
  }

  between(inner: Ec2Transport, clock: Clock): Ec2Transport {
    return async (action, input, options) => {
      this.calls += 1;
      if (this.#random.next() >= this.share) return inner(action, input, options);
      this.failed += 1;
      const kind = Math.floor(this.#random.next() * 4);
      if (kind === 0) throw answer('ServiceUnavailable', 503);
      if (kind === 1) throw answer('RequestLimitExceeded', 503);
      // A proxy cuts the connection: before it is passed on, or after it was answered.
      if (kind === 3) await inner(action, input, options).catch(() => undefined);
      else await clock.sleep(20);
      throw Object.assign(new Error('socket hang up'), { name: 'ECONNRESET' });
    };
  }
}

const answer = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error('not now'), { name, $fault: 'server', $metadata: { httpStatusCode } });

async function halfFailing(seed: number) {
  const endpoint = new HalfFailing(seed);
  const world = new ScenarioCluster({ seed, between: (inner, clock) => endpoint.between(inner, clock) });
  const old = world.seed(MEMBER, { elasticIp: true, dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 10 }] });
  world.seed('prod/db2', { az: 'us-east-1b' });
  await world.up();
  endpoint.share = 0.5;
  return { endpoint, world, old };
}

/**
 * Silence takes 8 s to become death; what is above is judging on evidence, reading for a plan and
 * committing it.
 */
const BEGINS_WITHIN_MS = 60_000;

describe('half of all calls to EC2 fail', () => {
  test('a recovery begins within a minute, whatever the seed', async () => {
    const took: number[] = [];
    for (const seed of SEEDS) {
      const { endpoint, world, old } = await halfFailing(seed);
      world.crash(old.instanceId);
      took.push(await world.until(`intent, seed ${seed}`, () => world.intent(MEMBER) !== null, BEGINS_WITHIN_MS));
      expect(endpoint.failed / endpoint.calls, `seed ${seed}`).toBeGreaterThan(0.1);
      world.expectHealthy();
    }
    const sorted = took.toSorted((a, b) => a - b);
    process.stdout.write(`half failing: begun after ${sorted.map((ms) => Math.round(ms / 1_000)).join(' ')} s\n`);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(20_000);
  }, 120_000);

  test.each(SEEDS.slice(0, 8))(
    'the dead member is judged, its recovery begun and finished, with one launch (seed %i)',
    async (seed) => {
      const { endpoint, world, old } = await halfFailing(seed);
      world.crash(old.instanceId);
      await world.until('replaced', () => world.history(MEMBER).length > 0, HOUR_MS);
      expect(endpoint.failed / endpoint.calls).toBeGreaterThan(0.3);
      await world.until('shown', () => world.hold(MEMBER) === null, 60_000);
      world.expectReplaced(MEMBER, old.instanceId);
      expect(world.launches).toBe(1);
      // Told when something begins to fail, not each of the hundreds of times.
      const told = world.mustLead().log.linesOf('recovery.step.failing').length;
      expect(told).toBeLessThan(endpoint.failed / 4);
      world.expectHealthy();
    },
  );
});
