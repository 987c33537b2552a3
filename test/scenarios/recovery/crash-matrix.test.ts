import type { SeededInstance } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Story {
  readonly name: string;
  readonly options: RecoveryFixtureOptions;
  readonly launches: number;
  /** Prepares the world; runs before the intent. */
  readonly trouble: (scene: RecoveryFixture, old: SeededInstance) => void;
  /**
   * The matrix is no smaller than this, and has a point in each of these steps: a story that no
   * longer tells itself is noticed.
   */
  readonly casesMin: number;
  readonly steps: readonly string[];
}

/** The first replacement of a recovery never speaks. */
const muteFirst = (scene: RecoveryFixture): void => {
  let first = true;
  scene.sim.onEvent((event) => {
    if (event.kind !== 'transition' || event.resourceKind !== 'instance' || event.from !== null) return;
    if (first) scene.silent.add(event.resourceId);
    first = false;
  });
};

const ALL_STEPS = ['fence', 'capture', 'image', 'permit-1', 'launch-1', 'verify-1', 'activate', 'done'];

const STORIES: readonly Story[] = [
  {
    name: 'without trouble',
    options: {},
    launches: 1,
    trouble: () => undefined,
    casesMin: 80,
    steps: ALL_STEPS,
  },
  {
    name: 'protected, with a source/destination check that is off',
    options: { request: { DisableApiStop: true, DisableApiTermination: true } },
    launches: 1,
    trouble: (scene, old) => {
      scene.sim.seed('ModifyNetworkInterfaceAttribute', {
        NetworkInterfaceId: old.networkInterfaceId,
        SourceDestCheck: { Value: false },
      });
    },
    casesMin: 90,
    steps: ALL_STEPS,
  },
  {
    name: 'no capacity at the first placement',
    options: {},
    launches: 1,
    trouble: (scene) => scene.sim.setCapacity('us-east-1a', 't3.micro', 0),
    casesMin: 100,
    steps: [...ALL_STEPS.filter((step) => step !== 'verify-1'), 'revoke-1', 'permit-2', 'launch-2', 'verify-2'],
  },
  {
    name: 'the first replacement does not verify',
    options: { policy: { recover: { verifyTimeoutMs: 60_000 } } },
    launches: 2,
    trouble: muteFirst,
    casesMin: 110,
    steps: [...ALL_STEPS, 'revoke-1', 'permit-2', 'launch-2', 'verify-2'],
  },
];

async function stage(story: Story): Promise<{ scene: RecoveryFixture; old: SeededInstance }> {
  const scene = new RecoveryFixture(story.options);
  const { subnets } = scene.sim.defaultResources;
  const placements = ['us-east-1a', 'us-east-1b'].map((az) => ({ subnetId: subnets[az] ?? '' }));
  scene.policy.recover.placements.push(...placements);
  const old = scene.seedMember(undefined, story.options);
  story.trouble(scene, old);
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  return { scene, old };
}

/** Every call and commit of the run that is not disturbed. */
async function pointsOf(story: Story): Promise<readonly Point[]> {
  const { scene, old } = await stage(story);
  const monitor = new CrashMonitor();
  const leader = scene.lead(monitor.wrapping());
  const outcome = await scene.run(leader, scene.intent(), monitor.term(leader.term));
  expect(outcome, JSON.stringify(scene.hold())).toBe('finished');
  const points = [...monitor.points];
  const newInstanceId = checkFinished(scene, old, { launches: story.launches });
  await checkCollected(scene, old, leader, newInstanceId);
  return points;
}

/**
 * The leader dies at the point; its successor finishes. Returns what died, so that the caller sees
 * that it did.
 */
async function crashAt(story: Story, at: number, mode: CrashMode, collect: boolean): Promise<Point | undefined> {
  const { scene, old } = await stage(story);
  const monitor = new CrashMonitor(at, mode);
  const first = scene.lead(monitor.wrapping());
  const run = first.engine.run(scene.intent(), monitor.term(first.term));
  await scene.clock.runUntilSettled(Promise.race([monitor.died, run.then(() => undefined)]));
  const died = monitor.dead ? monitor.points[at] : undefined;
  await scene.clock.advance(12_000);
  checkSafety(scene, old);
  const second = scene.lead();
  if (scene.kv.entries('/understudy/v1/intents/').length > 0) {
    const outcome = await scene.run(second, scene.intent());
    expect(outcome, JSON.stringify(scene.hold())).toBe('finished');
  }
  const newInstanceId = checkFinished(scene, old, { launches: story.launches });
  if (collect) expect(await checkCollected(scene, old, second, newInstanceId)).toEqual([]);
  return died;
}

describe.each(STORIES)('killed anywhere: $name', (story) => {
  test('the successor finishes with one replacement', { timeout: 120_000 }, async () => {
    const points = await pointsOf(story);
    const matrix = crashMatrix(points);
    const names = points.map((point) => point.name.split(' ')[0]);
    for (const step of story.steps) expect(names).toContain(step);
    await atEachCrash(points, matrix, async ({ at, mode }, index) => {
      const died = await crashAt(story, at, mode, index % 8 === 0 || points[at]?.kind === 'call');
      expect(died, 'the crash did not happen').toEqual(points[at]);
    });
    console.log(`crash points, ${story.name}: ${matrix.length} cases from ${points.length} calls and commits`);
    expect(matrix.length).toBeGreaterThanOrEqual(story.casesMin);
  });
});
