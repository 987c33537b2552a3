import { joinedChanges, type PolicyChange } from '@understudy/shared/testing';
import type { MemberId } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const LOST = 'us-east-1c';
const OTHERS = ['us-east-1a', 'us-east-1b'];
/** Members of the zone that is lost, and of each other zone. */
const [LOST_COUNT, OTHER_COUNT] = [100, 5];
const HOUR_MS = 3_600_000;
const PACE = { budgetPerMinute: 30, budgetBurst: 5 };

const subnetIn = ({ sim }: ScenarioCluster, az: string) => ({ subnetId: sim.defaultResources.subnets[az] ?? '' });
const placements = OTHERS.map((az) => subnetIn(new ScenarioCluster(), az));
const POLICY: PolicyChange = {
  guard: { whenZoneLost: 'recover', concurrency: 1_000, bootGraceMs: 0 },
  recover: { placements },
};

const seedZone = (world: ScenarioCluster, az: string, count: number) =>
  new Map(
    Array.from({ length: count }, (_, at) => {
      const member: MemberId = `prod/${az}-${at}`;
      return [member, world.seed(member, { az }).instanceId] as const;
    }),
  );

interface Loss {
  readonly count?: number;
  readonly crashes?: 'machines' | 'agents';
}

/** Most of the fleet in one zone, everybody heard; then that zone is off, or all agents there. */
async function lost({ count = LOST_COUNT, crashes = 'machines' }: Loss = {}) {
  const world = new ScenarioCluster({ policy: POLICY, guard: PACE, loop: { recoveriesMax: 1_000 } });
  const inLost = seedZone(world, LOST, count);
  const others = new Map(OTHERS.flatMap((az) => [...seedZone(world, az, OTHER_COUNT)]));
  await world.up();
  await world.until('all enrolled', () => [...inLost.keys()].every((one) => world.activation(one) !== null), HOUR_MS);
  await world.clock.advance(60_000);
  for (const instanceId of inLost.values())
    if (crashes === 'machines') world.crash(instanceId);
    else await world.silence(instanceId);
  const all = [...inLost.keys()];
  await world.until('all held', () => all.every((one) => world.hold(one)?.reason === 'ObserverUnwell'), 300_000);
  return { world, inLost, others };
}

/** A person's word about these zones, for a time. */
const say = (world: ScenarioCluster, zones: readonly string[], forMs = HOUR_MS, partly: { partly?: true } = {}) => {
  const until = new Date(world.clock.wallMs() + forMs).toISOString();
  const lostZones = zones.map((zone) => ({ zone, until, ...partly }));
  world.put(KEYS.group('prod'), { group: 'prod', policy: joinedChanges(POLICY, { guard: { lostZones } }) });
};

/** The most recoveries begun within a minute. */
function busiestMinute(startsMs: readonly number[]): number {
  return Math.max(...startsMs.map((fromMs) => startsMs.filter((ms) => ms >= fromMs && ms < fromMs + 60_000).length));
}

describe('a lost zone that has most of the fleet', () => {
  test('is held until a person says that it is lost; then all are replaced, once each, at the pace of the budget', async () => {
    const { world, inLost, others } = await lost();
    await world.clock.advance(300_000);
    expect(world.launches).toBe(0);
    const [one = 'prod/none'] = inLost.keys();
    const explained = world.mustLead().coordinator.api.explain(one);
    for (const text of [world.hold(one)?.text, explained?.reason]) expect(text).toContain('guard.lostZones');
    expect(explained?.decision).toMatchObject({ kind: 'hold', reason: 'ObserverUnwell' });
    expect(explained?.wouldFlip.at(-1)).toContain('hold ObserverUnwell: look at its log');

    say(world, [LOST]);
    const all = [...inLost.keys()];
    await world.until('all replaced', () => all.every((member) => world.history(member).length > 0), HOUR_MS);
    for (const [member, instanceId] of inLost) world.expectReplaced(member, instanceId);
    const zones = all.map(
      (member) => world.sim.core.region.instances.get(world.activation(member)?.instanceId ?? '')?.az,
    );
    expect(zones.filter((az) => az === undefined || !OTHERS.includes(az))).toEqual([]);
    for (const [member, instanceId] of others) expect(world.activation(member)?.instanceId).toBe(instanceId);
    const starts = all.flatMap((member) => world.history(member).map((entry) => entry.startedAtWallMs));
    expect(busiestMinute(starts)).toBeLessThanOrEqual(PACE.budgetPerMinute + PACE.budgetBurst);
    expect(world.launches).toBe(LOST_COUNT);
    world.expectHealthy();
  });

  test('stays held where another zone is named, where the word is over, or where hardly anybody is heard', async () => {
    const { world, others } = await lost();
    say(world, OTHERS);
    await world.clock.advance(120_000);
    say(world, [LOST], -1);
    await world.clock.advance(60_000);
    expect(world.launches).toBe(0);
    // Fewer than half of those elsewhere speak now: it may well be our own ears.
    for (const instanceId of [...others.values()].slice(0, 6)) await world.silence(instanceId);
    await world.clock.advance(30_000);
    say(world, [LOST]);
    await world.clock.advance(300_000);
    expect(world.launches).toBe(0);
    world.expectHealthy();
  });

  test('that speaks again is told, and nobody else there is replaced by that word', async () => {
    const { world, inLost } = await lost({ count: 20, crashes: 'agents' });
    const zoneProblems = () => {
      const { problems } = world.mustLead().coordinator.api.status();
      return problems.filter(({ code }) => code === 'LOST_ZONE_IS_HEARD');
    };
    const [first = 'prod/none', back = 'prod/none'] = inLost.keys();
    world.speak(inLost.get(back) ?? '');
    await world.until('one is heard', () => world.hold(back) === null, 60_000);
    say(world, [LOST]);
    await world.until('it is told', () => zoneProblems().length > 0, 60_000);
    expect(zoneProblems()).toEqual([
      {
        code: 'LOST_ZONE_IS_HEARD',
        text: expect.stringMatching(
          new RegExp(`^the policy of prod calls ${LOST} lost until .*, and ${back} there is heard`),
        ),
        remedy: expect.stringContaining('partly: true'),
      },
    ]);
    await world.clock.advance(300_000);
    expect([world.launches, world.hold(first)?.reason]).toEqual([0, 'ObserverUnwell']);

    say(world, [LOST], HOUR_MS, { partly: true });
    await world.until('a recovery begins', () => world.launches > 0, 300_000);
    expect(zoneProblems()).toEqual([]);
    expect(world.activation(back)?.instanceId).toBe(inLost.get(back));
    world.expectHealthy();
  });
});
